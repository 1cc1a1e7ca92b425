"""Bushu draws the 214 kanji radicals as image cards and publishes them as a gallery."""

__version__ = "0.1.0"
