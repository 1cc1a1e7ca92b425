"""Sets of cards: draw, check, write, manifest. What is published is what was checked.

A set is written to a temporary folder and takes its place only when it is whole and its checks found nothing. Cards are drawn
in batches, so memory stays the same however many there are, and batches may go to several processes.
"""

import hashlib
import json
import shutil
import string
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from generator import checks
from generator.fonts import Face, Outline
from generator.layouts import TYPICAL, Card, draw
from generator.model import COUNT, Error, Finding, Palette, Radical, SetSpec
from generator.project import Project, replacing
from generator.svg import CANVAS
