"""Providers: what makes the pictures of requests. One function each, by the name that ``models.yml`` says.

They are only ever called in a process of its own (:mod:`generator.illustrate.worker`), so that whatever they take comes back.
"""

from collections.abc import Callable, Mapping
from typing import Any

from generator.illustrate.making import Here, Maker
from generator.model import Registry

providers: Registry[Callable[[Mapping[str, Any], Here], Maker]] = Registry()


@providers
def diffusers(settings: Mapping[str, Any], here: Here) -> Maker:
    """A local pipeline of the library diffusers."""
    from generator.illustrate import engine

    return engine.maker(settings, here)


@providers
def demo(settings: Mapping[str, Any], here: Here) -> Maker:
    """A tiny pipeline with random weights, made here and loaded like any other: its pictures are noise."""
    from generator.illustrate import engine, tiny

    return engine.maker({**settings, "repo": str(tiny.demo(here.scratch))}, here)


@providers
def huggingface(settings: Mapping[str, Any], here: Here) -> Maker:
    """Any provider of Hugging Face's inference service."""
    from generator.illustrate import services

    return services.huggingface(settings, here)


@providers
def google(settings: Mapping[str, Any], here: Here) -> Maker:
    """Google's models that make pictures."""
    from generator.illustrate import services

    return services.google(settings, here)


@providers
def openai(settings: Mapping[str, Any], here: Here) -> Maker:
    """OpenAI's models that make pictures, or any server that speaks like it."""
    from generator.illustrate import services

    return services.openai(settings, here)


@providers
def svg(settings: Mapping[str, Any], here: Here) -> Maker:
    """A language model that writes SVG."""
    from generator.illustrate import drawing

    return drawing.maker(settings, here)
