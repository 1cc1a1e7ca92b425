"""Where a picture comes from: what a file says of itself, and how that is written into one.

Dublin Core, the IPTC's terms and Creative Commons' in XMP and in the metadata of an SVG; text chunks in PNG; EXIF; and the
generator parameters that programs for Stable Diffusion write: the prompt, and a line ``Seed: 5, Model: x``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

from generator.model import Error
from generator.svg import DUBLIN_CORE

Facts = dict[str, str]
"""What is known of a picture, by the names of :data:`FACTS`."""

FACTS = ("source", "author", "licence", "model", "prompt", "seed", "date")
GENERATED = ("model", "prompt", "seed")
"""The facts that only a machine-made picture has."""
LONGEST = 4000
"""Letters that a fact may have."""

MACHINE_MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""The IPTC's word for what a model made."""
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CREATIVE_COMMONS = "http://creativecommons.org/ns#"
RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

READ = {
    "source": (f"{{{DUBLIN_CORE}}}source",),
    "author": (f"{{{DUBLIN_CORE}}}creator",),
    "licence": (f"{{{CREATIVE_COMMONS}}}license", f"{{{RIGHTS}}}WebStatement", f"{{{DUBLIN_CORE}}}rights", f"{{{RIGHTS}}}UsageTerms"),
    "model": (f"{{{IPTC}}}AISystemUsed",),
    "prompt": (f"{{{IPTC}}}AIPromptInformation",),
}
"""The terms that state a fact, the best first."""

WRITTEN = {
    "source": "dc:source",
    "author": "dc:creator",
    "licence": "dc:rights",
    "model": "Iptc4xmpExt:AISystemUsed",
    "prompt": "Iptc4xmpExt:AIPromptInformation",
}
ARRAYS = {"dc:creator": "rdf:Seq", "dc:rights": "rdf:Alt"}
"""The terms whose values XMP wants in a list."""
NAMESPACES = {"dc": DUBLIN_CORE, "Iptc4xmpExt": IPTC}

TEXTS = {
    "source": ("source", "url"),
    "author": ("author", "artist", "creator"),
    "licence": ("licence", "license", "copyright"),
}
"""Keys of a PNG's text chunks that state a fact."""
GENERATORS = ("parameters", "prompt", "workflow", "invokeai_metadata", "sd-metadata", "dream")
"""Keys of text chunks that only programs which make pictures write."""


LARGEST = 1_000_000
"""Bytes of XML that are read at all."""
DOCTYPE = "-//W3C//DTD SVG "
"""How the public name of the doctype begins that an SVG may have."""
DEPTH = 32
"""How deep elements may nest."""


class Tree(ElementTree.TreeBuilder):
    """A tree of bounded depth, so that no walk in it takes long."""

    depth = 0

    def start(self, tag: Any, attrs: dict[Any, Any], /) -> ElementTree.Element:
        """Refuse an element that is too deep."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Error(f"nests deeper than {DEPTH} levels, ungroup what is in it")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        """Step up again."""
        self.depth -= 1
        return super().end(tag)


def parsed(content: bytes, tree: type[Tree] = Tree) -> ElementTree.Element:
    """XML made elsewhere as a tree. :class:`Error` for what is not XML, and for what can loop and fetch: entities, most doctypes."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    class Parser(DefusedXMLParser):
        def defused_start_doctype_decl(self, name: Any, sysid: Any, pubid: Any, has_internal_subset: Any) -> None:
            """Let the line pass with which many programs begin every SVG: nothing is read from its address."""
            if has_internal_subset or not (pubid or "").startswith(DOCTYPE):
                super().defused_start_doctype_decl(name, sysid, pubid, has_internal_subset)

    if len(content) > LARGEST:
        raise Error(f"{len(content)} bytes of XML, at most {LARGEST}")
    parser = Parser(target=tree(), forbid_dtd=True)
    try:
        parser.feed(content)
        root: ElementTree.Element = parser.close()
    except DefusedXmlException:
        raise Error("has a doctype or entities, save it without (as plain SVG)") from None
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise Error(f"is not XML that can be read ({error}), save it again as UTF-8") from None
    return root


CONTROLS = re.compile(r"[\0-\x1f\x7f-\x9f\xad\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
"""Spelt out, since what else is printable differs from one Python to the next."""


def cleaned(text: str) -> str:
    """A fact on one line: no control characters, single spaces."""
    return " ".join(CONTROLS.sub(" ", text).split())


def stated(pairs: Iterable[tuple[str, str]]) -> Facts:
    """The facts among *pairs*, the first of a name: cleaned, in order, and none that is empty or too long to be one."""
    found: Facts = {}
    for name, text in pairs:
        if 0 < len(fact := cleaned(text)) <= LONGEST:
            found.setdefault(name, fact)
    return {name: found[name] for name in FACTS if name in found}


CC = re.compile(r"creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)")


def licence(text: str) -> str:
    """A licence's address at Creative Commons as its SPDX identifier; anything else as it is."""
    if not (found := CC.search(text)) or found[2] == "mark":
        return text
    return f"CC0-{found[3]}" if found[2] == "zero" else f"CC-{found[2].upper()}-{found[3]}"


def spdx(text: str) -> str:
    """A licence in SPDX's form, from that, its address at Creative Commons, or ``CC BY 4.0``; empty if it is none that is known."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    for written in (name := licence(text), name.replace(" ", "-")):
        with suppress(InvalidLicenseExpression):
            return str(canonicalize_license_expression(written))
    return ""


def licensed(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The facts without what stands for a licence and is none: a notice such as ``(c) A. Mori`` permits nothing."""
    return ((name, spdx(text) if name == "licence" else text) for name, text in pairs)


def described(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """The facts that a tree of XMP or of SVG metadata states, as elements or as attributes."""
    for name, terms in READ.items():
        for term in terms:
            for element in root.iter():
                text = element.get(term, "")
                if element.tag == term:
                    text = " ".join(element.itertext()).strip() or element.get(f"{{{RDF}}}resource", "")
                if text:
                    yield name, licence(text) if name == "licence" else text


def parameters(text: str) -> Iterator[tuple[str, str]]:
    """Prompt, seed and model of generator parameters: the prompt's lines, then a line of settings."""
    *lines, last = text.strip().split("\n")
    settings = dict(re.findall(r"\b(Seed|Model): ([^,]+)", last))
    prompt = "\n".join(["", *lines, *([] if settings or last.startswith("Steps: ") else [last])])
    yield "prompt", prompt.partition("\nNegative prompt:")[0]
    yield from ((name.lower(), value) for name, value in settings.items())


def texts(chunks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The facts in the text chunks of a PNG."""
    lower = {key.lower(): value for key, value in chunks.items()}
    for name, keys in TEXTS.items():
        yield from ((name, licence(lower[key]) if name == "licence" else lower[key]) for key in keys if key in lower)
    if "parameters" in lower:
        yield from parameters(lower["parameters"])


def is_generated(facts: Facts) -> bool:
    """True if a model made the picture."""
    return any(name in facts for name in GENERATED)


def composed(facts: Facts) -> str:
    """Generator parameters of the facts; empty where there are none."""
    settings = ", ".join(f"{name.title()}: {facts[name]}" for name in ("seed", "model") if name in facts)
    return "\n".join(filter(None, [facts.get("prompt"), settings]))


def terms(facts: Facts, machine_made: bool) -> dict[str, str]:
    """The facts by the qualified names they are written under."""
    known = {term: facts[name] for name, term in WRITTEN.items() if name in facts}
    return known | ({"Iptc4xmpExt:DigitalSourceType": MACHINE_MADE} if machine_made else {})


def _element(tag: str, text: str = "", **attributes: str) -> ElementTree.Element:
    made = ElementTree.Element(tag, attributes)
    made.text = text or None
    return made


def _spaces(known: Mapping[str, str]) -> dict[str, str]:
    """The declarations of the namespaces that the terms are of."""
    used = {term.partition(":")[0] for term in known}
    return {f"xmlns:{name}": space for name, space in NAMESPACES.items() if name in used}


def metadata(known: Mapping[str, str]) -> ElementTree.Element:
    """The terms as the metadata of an SVG."""
    made = ElementTree.Element("metadata", _spaces(known))
    made.extend([_element(term, text) for term, text in known.items()])
    return made


def xmp(known: Mapping[str, str]) -> bytes:
    """The terms as an XMP packet; empty where there are none."""
    if not known:
        return b""
    description = ElementTree.Element("rdf:Description", {"rdf:about": ""} | _spaces(known))
    for term, text in known.items():
        if array := ARRAYS.get(term):
            members = _element(array)
            members.append(_element("rdf:li", text, **({"xml:lang": "x-default"} if array == "rdf:Alt" else {})))
            (holder := _element(term)).append(members)
            description.append(holder)
        else:
            description.append(_element(term, text))
    (rdf := ElementTree.Element("rdf:RDF", {"xmlns:rdf": RDF})).append(description)
    (root := ElementTree.Element("x:xmpmeta", {"xmlns:x": "adobe:ns:meta/"})).append(rdf)
    packet = ElementTree.tostring(root, encoding="unicode")
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{packet}<?xpacket end="r"?>'.encode()
