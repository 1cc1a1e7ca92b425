"""Wagara: the traditional repeat patterns behind a card, each drawn as one small SVG tile.

A pattern is a function of two colours, *line* (the swatch's accent) and *ground* (its paper), and returns a tile that joins
itself without a seam on all four sides. A new pattern is one function here; its name is what ``palette.yml`` says.
"""

from collections.abc import Callable
from dataclasses import dataclass

from generator import svg
from generator.model import Registry


@dataclass(frozen=True, slots=True)
class Tile:
    """One repeat: its size in canvas units (the canvas is 512 wide) and what is drawn in it."""

    width: float
    height: float
    shapes: tuple[svg.Element, ...]


patterns: Registry[Callable[[str, str], Tile]] = Registry()


def _stroke(d: str, line: str, width: float = 4, **style: str) -> svg.Element:
    return svg.path(d, fill="none", stroke=line, stroke_width=width, **style)



def bish() -> str:
    import math
    a=56/3; out=[]; seen=set()
    P={(0,0),(28,48.5)}
    def isP(x,y):
        for px,py in ((0,0),(28,48.5)):
            fx=(x-px)/56; fy=(y-py)/97
            if abs(fx-round(fx))<.01 and abs(fy-round(fy))<.01: return True
        return False
    # honeycomb: hex centres at (a,0)+...: vertices at P: hexes around P centered at distance a
    import itertools
    for i in range(-4,8):
        for j in range(-6,10):
            # centres lattice (1.5a, a*r3/2),(0,a*r3)
            cx=a+i*1.5*a; cy=(j+ (i%2)/2)*97/3
            v=[(cx+a*math.cos(math.pi/3*k), cy+a*97/168*2*math.sin(math.pi/3*k)/ (2*97/168) ) for k in range(6)]
            for k in range(6):
                p,q=v[k],v[(k+1)%6]
                if isP(*p) or isP(*q): continue
                key=tuple(sorted([(round(p[0]),round(p[1])),(round(q[0]),round(q[1]))]))
                if key in seen: continue
                if max(p[0],q[0])<-2 or min(p[0],q[0])>58 or max(p[1],q[1])<-2 or min(p[1],q[1])>99: continue
                seen.add(key); out.append(f"M{p[0]:.2f} {p[1]:.2f}L{q[0]:.2f} {q[1]:.2f}")
    for px,py in ((0,0),(56,0),(0,97),(56,97),(28,48.5)):
        out.append(f"M{px} {py}h14M{px} {py}l-7-12.12M{px} {py}l-7 12.12")
    return "".join(out)



def bish() -> str:
    import math
    a=56/3; out=[]; seen=set()
    P={(0,0),(28,48.5)}
    def isP(x,y):
        for px,py in ((0,0),(28,48.5)):
            fx=(x-px)/56; fy=(y-py)/97
            if abs(fx-round(fx))<.01 and abs(fy-round(fy))<.01: return True
        return False
    # honeycomb: hex centres at (a,0)+...: vertices at P: hexes around P centered at distance a
    import itertools
    for i in range(-4,8):
        for j in range(-6,10):
            # centres lattice (1.5a, a*r3/2),(0,a*r3)
            cx=a+i*1.5*a; cy=(j+ (i%2)/2)*97/3
            v=[(cx+a*math.cos(math.pi/3*k), cy+a*97/168*2*math.sin(math.pi/3*k)/ (2*97/168) ) for k in range(6)]
            for k in range(6):
                p,q=v[k],v[(k+1)%6]
                if isP(*p) or isP(*q): continue
                key=tuple(sorted([(round(p[0]),round(p[1])),(round(q[0]),round(q[1]))]))
                if key in seen: continue
                if max(p[0],q[0])<-2 or min(p[0],q[0])>58 or max(p[1],q[1])<-2 or min(p[1],q[1])>99: continue
                seen.add(key); out.append(f"M{p[0]:.2f} {p[1]:.2f}L{q[0]:.2f} {q[1]:.2f}")
    for px,py in ((0,0),(56,0),(0,97),(56,97),(28,48.5)):
        out.append(f"M{px} {py}h14M{px} {py}l-7-12.12M{px} {py}l-7 12.12")
    return "".join(out)



def bish() -> str:
    import math
    a=56/3; out=[]; seen=set()
    P={(0,0),(28,48.5)}
    def isP(x,y):
        for px,py in ((0,0),(28,48.5)):
            fx=(x-px)/56; fy=(y-py)/97
            if abs(fx-round(fx))<.01 and abs(fy-round(fy))<.01: return True
        return False
    # honeycomb: hex centres at (a,0)+...: vertices at P: hexes around P centered at distance a
    import itertools
    for i in range(-4,8):
        for j in range(-6,10):
            # centres lattice (1.5a, a*r3/2),(0,a*r3)
            cx=a+i*1.5*a; cy=(j+ (i%2)/2)*97/3
            v=[(cx+a*math.cos(math.pi/3*k), cy+a*97/168*2*math.sin(math.pi/3*k)/ (2*97/168) ) for k in range(6)]
            for k in range(6):
                p,q=v[k],v[(k+1)%6]
                if isP(*p) or isP(*q): continue
                key=tuple(sorted([(round(p[0]),round(p[1])),(round(q[0]),round(q[1]))]))
                if key in seen: continue
                if max(p[0],q[0])<-2 or min(p[0],q[0])>58 or max(p[1],q[1])<-2 or min(p[1],q[1])>99: continue
                seen.add(key); out.append(f"M{p[0]:.2f} {p[1]:.2f}L{q[0]:.2f} {q[1]:.2f}")
    for px,py in ((0,0),(56,0),(0,97),(56,97),(28,48.5)):
        out.append(f"M{px} {py}h14M{px} {py}l-7-12.12M{px} {py}l-7 12.12")
    return "".join(out)


@patterns
def seigaiha(line: str, ground: str) -> Tile:
    """Waves of the blue sea: fans of three rings, each row lying over the one above."""
    fan = "a45 45 0 0 1 90 0m-75 0a30 30 0 0 1 60 0m-45 0a15 15 0 0 1 30 0"
    fans = (f"M3 0{fan}", f"M-45 24{fan}m36 0{fan}", f"M3 48{fan}", f"M-45 72{fan}m36 0{fan}")
    return Tile(96, 48, (svg.group([svg.path(d) for d in fans], fill=ground, stroke=line, stroke_width=5),))


@patterns
def tatewaku(line: str, ground: str) -> Tile:
    """Rising steam: pairs of lines that swell and draw together."""
    return Tile(64, 80, (_stroke("M16-40C16-20 4-20 4 0S28 20 28 40 4 60 4 80 28 100 28 120M48-40C48-20 60-20 60 0S36 20 36 40 60 60 60 80 36 100 36 120", line, 7),))


@patterns
def asanoha(line: str, ground: str) -> Tile:
    """Hemp leaves: six-pointed stars of lozenges."""
    edges="M0-28V84M48.5-28V84M97-28V84M-48.5-28L145.5 84M-48.5 84L145.5-28"
    spokes="M0 0h32.33l16.17-28 16.17 28H97M0 56h32.33l16.17 28 16.17-28H97M0 0l16.17 28L0 56M97 0L80.83 28 97 56M32.33 0l16.17 28L32.33 56M64.67 0L48.5 28l16.17 28M16.17 28h64.67"
    return Tile(97, 56, (_stroke(edges+spokes, line, 3),))


@patterns
def uroko(line: str, ground: str) -> Tile:
    """Scales: rows of triangles."""
    return Tile(48, 84, (svg.path("M24 3l21 37H3zM0 45l21 37H-21zM48 45l21 37H27z", fill=line),))


@patterns
def kumo(line: str, ground: str) -> Tile:
    """Clouds with curled ends."""
    cloud = "h44a9 9 0 0 0 0-18 6 6 0 0 0-4 9M{}"
    d="M4 30h60M22 30a10 10 0 0 1 0-20 6 6 0 0 1 0 12M25 12a12 12 0 0 1 24 2 7 7 0 0 1-13 2M48 18a8 8 0 0 1 12 12"
    e="M52 62h60M70 62a10 10 0 0 1 0-20 6 6 0 0 1 0 12M73 44a12 12 0 0 1 24 2 7 7 0 0 1-13 2M96 50a8 8 0 0 1 12 12"
    f="M-44 62h60M-26 62a10 10 0 0 1 0-20 6 6 0 0 1 0 12M-23 44a12 12 0 0 1 24 2 7 7 0 0 1-13 2M0 50a8 8 0 0 1 12 12"
    return Tile(96, 64, (_stroke(d+e+f, line, 4, stroke_linecap="round"),))


@patterns
def kanoko(line: str, ground: str) -> Tile:
    """Fawn spots: tie-dyed squares with a dot in each."""
    ring = "l14 14-14 14-14-14z"
    return Tile(48, 48, (_stroke(f"M24 10{ring}M0-14{ring}M48-14{ring}M0 34{ring}M48 34{ring}", line, 5, stroke_linejoin="round"),
       _stroke("M24 24h0M0 0h0M48 0h0M0 48h0M48 48h0", line, 7, stroke_linecap="round")))


@patterns
def yagasuri(line: str, ground: str) -> Tile:
    """Arrow feathers."""
    a="l13 13v44l-13-13z"
    b="l-13 13v44l13-13z"
    c="l13-13v44l-13 13z"
    d="l-13-13v44l13 13z"
    return Tile(64, 96, (svg.path(f"M2 0{a}M30 0{b}M34 61{c}M62 61{d}M34-35{c}M62-35{d}", fill=line),))


@patterns
def kikko(line: str, ground: str) -> Tile:
    """Tortoise shell: hexagons, each with a smaller one inside."""
    core="l15.59 9v18l-15.59 9-15.59-9v-18z"
    net="M-28 16.17L0 32.33 28 16.17 56 32.33 84 16.17M-28 80.83L0 64.67 28 80.83 56 64.67 84 80.83M0 32.33v32.33M56 32.33v32.33M28-16.17v32.33M28 80.83v32.33"
    return Tile(56, 97, (_stroke(net+f"M28 30.5{core}M0-18{core}M56-18{core}M0 79{core}M56 79{core}", line, 4),))


@patterns
def bishamon(line: str, ground: str) -> Tile:
    """Bishamonten's armour: tortoise shells joined by threes."""
    core="l15.59 9v18l-15.59 9-15.59-9v-18z"
    return Tile(56, 97, (_stroke(bish(), line, 5),))


@patterns
def shippo(line: str, ground: str) -> Tile:
    """Seven treasures: circles that overlap by a quarter."""
    return Tile(80, 80, (_stroke("M0 40a40 40 0 0 1 80 0 40 40 0 0 1-80 0M-40 0a40 40 0 0 0 80 0 40 40 0 0 0 80 0M-40 80a40 40 0 0 1 80 0 40 40 0 0 1 80 0", line, 5),))


@patterns
def higaki(line: str, ground: str) -> Tile:
    """Cypress fence."""
    a="".join(f"M0 {y}l84 48" for y in (-48,-24,0))
    b="".join(f"M{x} {y}l84-48" for x,y in ((63,12),(63,36),(63,60),(-63,36),(-63,60)))
    return Tile(126, 24, (_stroke(a+b, line, 5),))


@patterns
def kagome(line: str, ground: str) -> Tile:
    """Basket weave."""
    a="M22 24.25h40M-34 24.25h40M50 72.75h40M-6 72.75h40"
    A="l20 34.64"; B="l-20 34.64"
    b="".join(f"M{x-10} {y-17.32:.2f}{A}" for x,y in ((28,0),(0,48.5),(56,48.5),(28,97)))
    c="".join(f"M{x+10} {y-17.32:.2f}{B}" for x,y in ((14,24.25),(42,72.75)))
    return Tile(56, 97, (_stroke(a+b+c, line, 7),))


@patterns
def mitsukuzushi(line: str, ground: str) -> Tile:
    """Threes."""
    return Tile(80, 80, (_stroke("M3 8h34M3 20h34M3 32h34M48 3v34M60 3v34M72 3v34M43 48h34M43 60h34M43 72h34M8 43v34M20 43v34M32 43v34", line, 5),))


@patterns
def nowaki(line: str, ground: str) -> Tile:
    """Autumn gale."""
    return _now(line, 80, 56)


def _now(line: str, h: int, o: int) -> Tile:
    t="c-2-22 4-38 22-50m-22 50c4-24 18-38 42-42m-42 42c8-16 26-24 50-20m-50 20c10-8 28-8 46 4"
    a,b=14,h-10
    return Tile(96, h, (_stroke("".join(f"M{x} {y}{t}" for x,y in ((a,b),(a,b+h),(a+o,b-h//2),(a+o-96,b-h//2),(a+o,b+h//2),(a+o-96,b+h//2)) ), line, 4.5, stroke_linecap="round"),))


for _h,_o in ((80,48),(80,60),(72,56),(72,64),(72,40),(64,60),(72,48)):
    def _f(line: str, ground: str, h=_h, o=_o) -> Tile:
        return _now(line,h,o)
    _f.__name__=f"n{_h}x{_o}"
    patterns(_f)


@patterns
def raimon(line: str, ground: str) -> Tile:
    """Thunder."""
    return Tile(96, 96, (_stroke("M6 42V6H42V42H18V18h12v12M54 6v36h36v-36h-24v24h12v-12M90 54v36h-36v-36h24v24h-12v-12M42 90v-36h-36v36h24v-24h-12v12", line, 5),))


@patterns
def hishi(line: str, ground: str) -> Tile:
    """Diamonds."""
    g="l15 9-15 9-15-9zm19 11l15 9-15 9-15-9zm-38 0l15 9-15 9-15-9zm19 11l15 9-15 9-15-9z"
    return Tile(96, 56, (svg.path("".join(f"M{x} {y-20}{g}" for x,y in ((48,28),(0,0),(96,0),(0,56),(96,56))), fill=line),))


@patterns
def ichimatsu(line: str, ground: str) -> Tile:
    """Checks: two squares of the four are filled."""
    return Tile(64, 64, (svg.path("M0 0h32v32H0zM9 9v14h14V9zM32 32h32v32H32zM41 41v14h14V41z", fill=line),))
