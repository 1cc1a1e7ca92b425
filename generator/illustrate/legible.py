"""Legibility without weights: which of the 214 radicals' forms is most clearly to be seen in a picture, whatever else it shows.

The blurred brightness of the picture, without light and shade of large areas, is laid over the mask of every glyph, shifted by a
few pixels, and compared by normalised cross-correlation. Its sign does not count: a light form on a dark ground is as legible.
This measures form and not beauty.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from generator.illustrate import conditions
from generator.project import Project

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

SIDE = 64
"""Pixels a side of what is compared."""
BLUR, AREA = 1, 8
"""Standard deviations, in those pixels, of the blur, and of the one that leaves only light and shade of large areas."""
SHIFT = 4
"""Pixels by which the form may be out of place, in both directions."""
CLEAR = 0.5
"""Correlation from which a form is to be seen: of pictures that show none, one of a hundred reaches 0.4 with its best one."""
ALIKE = 0.9
"""Correlation of two masks above which their glyphs cannot be told apart so, as 土 and 士: either is right."""
KIND = "glyph"
"""The conditioning image whose form is looked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the right radical does: its rank among all, its correlation, and the number of the one that is seen best.

    ``clear``: that one is to be seen at all.
    """

    rank: int
    correlation: float
    best: int
    clear: bool

    @property
    def is_legible(self) -> bool:
        """True if the right radical is the one to be seen, and clearly."""
        return self.rank == 1 and self.clear


def _unit(values: "NDArray[Any]") -> "NDArray[Any]":
    """Rows with mean 0 and length 1; zeros for a row of one value."""
    import numpy as np

    rows: NDArray[Any] = values - values.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length > 1e-6, length, np.inf)


def _brightness(image: "Image.Image") -> "NDArray[Any]":
    """The blurred brightness of a picture as one row of 64 × 64 values, without what is broad in it."""
    import numpy as np
    from PIL import Image, ImageFilter

    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    fine, broad = (np.asarray(small.filter(ImageFilter.GaussianBlur(radius)), np.float32) for radius in (BLUR, AREA))
    return (fine - broad).reshape(-1)


@dataclass(frozen=True)
class Masks:
    """The forms of radicals, by number, as SVG text in black on grey; drawn to pixels when they are first needed."""

    numbers: tuple[int, ...]
    drawn: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """What the forms are known by: other forms, other readings."""
        return hashlib.sha256("\n".join(self.drawn).encode()).hexdigest()

    @cached_property
    def rows(self) -> "NDArray[Any]":
        """The forms, one row for each."""
        import numpy as np

        from generator import raster

        return _unit(np.stack([_brightness(raster.image(text, SIDE * 2)) for text in self.drawn]))

    @cached_property
    def alike(self) -> "NDArray[Any]":
        """Which forms cannot be told apart: a row and a column for each."""
        same: NDArray[Any] = self.rows @ self.rows.T > ALIKE
        return same

    @cached_property
    def spectra(self) -> "NDArray[Any]":
        """The Fourier transforms of the forms, in which all shifts are one product.

        What is shifted out on one side comes in on the other: forms have wider margins than that.
        """
        import numpy as np

        return np.conj(np.fft.rfft2(self.rows.reshape(-1, SIDE, SIDE)))

    def correlations(self, image: "Image.Image") -> "NDArray[Any]":
        """How clearly each form is to be seen in a picture, from 0 to 1, where it is seen best."""
        import numpy as np

        seen = np.fft.rfft2(_unit(_brightness(image)).reshape(SIDE, SIDE))
        places = np.fft.irfft2(seen * self.spectra)
        near = np.arange(-SHIFT, SHIFT + 1)
        found: NDArray[Any] = np.abs(places[:, near[:, None], near]).max(axis=(1, 2))
        return found

    def read(self, image: "Image.Image", number: int) -> Reading:
        """How the radical *number* does in a picture. Where forms cannot be told apart, any of them is right."""
        found = self.correlations(image)
        own = self.numbers.index(number)
        others = ~self.alike[own]
        right = float(found[~others].max())
        rank = 1 + int((found[others] > right).sum())
        best = own if rank == 1 else int(found.argmax())
        seen = right if rank == 1 else float(found[best])
        return Reading(rank, round(right, 3), self.numbers[best], seen >= CLEAR)


def masks(project: Project) -> Masks:
    """The forms of all radicals, as they are shown to a model."""
    numbers = tuple(radical.number for radical in project.radicals)
    return Masks(numbers, tuple(conditions.drawn(project, KIND, project.radicals)))
