"""Draws a car from the side, as SVG: one outline per body, in the car's colour, in one of two places."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT = 960, 600
GROUND = 472


@dataclass(frozen=True, slots=True)
class Body:
    """The outline of a body style, nose to the left. Wheels stand on the ground at these two places."""

    outline: str
    glass: str
    pillars: tuple[str, ...]
    doors: str
    front_wheel: int
    rear_wheel: int
    wheel_radius: int
    sill: int
    handles: tuple[tuple[int, int], ...]
    headlight: str
    tail_light: str


@dataclass(frozen=True, slots=True)
class Paint:
    """A body colour in light, in shade, and on the edge to the sky."""

    base: str
    shade: str
    shine: str


BODIES = {
    "saloon": Body(
        outline=(
            "M104 424C92 400 92 372 108 354C150 332 232 322 318 314C366 270 416 238 482 231C556 224 622 226 668 242"
            "C710 258 746 286 778 308L846 316C862 334 868 372 860 412L850 428L772 430A70 70 0 0 0 632 430L322 432"
            "A70 70 0 0 0 182 430L112 430Z"
        ),
        glass="M342 314C388 272 428 250 486 245C556 239 616 241 656 254C690 266 716 286 738 306L730 310Z",
        pillars=("M528 240L522 314", "M668 258L676 312"),
        doors="M330 330C322 370 326 404 334 428M524 316L520 428M690 312C688 350 676 380 650 396",
        front_wheel=252,
        rear_wheel=702,
        wheel_radius=60,
        sill=430,
        handles=((468, 340), (628, 338)),
        headlight="M112 356C140 346 176 342 204 342C192 360 156 368 110 370Z",
        tail_light="M856 330C836 330 812 332 800 338C816 350 842 354 862 352Z",
    ),
    "estate": Body(
        outline=(
            "M104 424C92 400 92 372 108 354C150 332 232 322 318 314C366 270 414 238 480 231C580 222 700 224 786 236"
            "C820 246 842 280 854 322C864 350 866 384 858 412L850 428L772 430A70 70 0 0 0 632 430L322 432"
            "A70 70 0 0 0 182 430L112 430Z"
        ),
        glass="M342 314C388 272 428 250 486 245C580 238 700 240 774 250C796 262 808 286 816 308L808 312Z",
        pillars=("M528 241L522 314", "M668 240L674 312"),
        doors="M330 330C322 370 326 404 334 428M524 316L520 428M690 314C688 350 676 380 650 396",
        front_wheel=252,
        rear_wheel=702,
        wheel_radius=60,
        sill=430,
        handles=((468, 340), (628, 338)),
        headlight="M112 356C140 346 176 342 204 342C192 360 156 368 110 370Z",
        tail_light="M848 306C838 308 830 314 826 322C832 344 846 352 862 352Z",
    ),
    "suv": Body(
        outline=(
            "M108 414C94 390 94 350 112 328C152 306 230 296 312 288C352 240 396 206 462 198C570 188 690 190 770 204"
            "C808 216 836 256 850 300C862 332 864 372 856 402L848 416L784 420A78 78 0 0 0 628 420L330 424"
            "A78 78 0 0 0 174 420L118 420Z"
        ),
        glass="M336 290C374 246 410 222 468 215C568 206 680 208 752 220C780 234 796 260 806 284L796 290Z",
        pillars=("M520 211L514 292", "M664 210L672 290"),
        doors="M326 306C318 350 324 392 336 420M516 294L512 420M690 292C690 334 676 366 646 382",
        front_wheel=252,
        rear_wheel=706,
        wheel_radius=66,
        sill=420,
        handles=((460, 320), (622, 318)),
        headlight="M116 330C144 320 182 316 212 316C200 336 162 346 112 348Z",
        tail_light="M846 286C830 288 818 294 812 302C824 318 842 324 858 324Z",
    ),
    "hatchback": Body(
        outline=(
            "M140 424C128 400 128 370 144 350C182 328 252 318 328 310C372 264 420 232 490 226C570 220 650 222 716 236"
            "C762 250 794 284 812 322C824 350 826 386 818 412L810 428L750 430A70 70 0 0 0 610 430L354 432"
            "A70 70 0 0 0 214 430L148 430Z"
        ),
        glass="M352 310C394 268 436 246 494 241C570 235 642 237 700 249C736 262 758 284 772 306L764 310Z",
        pillars=("M540 236L534 312", "M660 240L672 310"),
        doors="M340 326C332 368 336 404 346 428M536 314L532 428M684 312C682 350 664 380 630 396",
        front_wheel=284,
        rear_wheel=680,
        wheel_radius=60,
        sill=430,
        handles=((478, 336), (626, 334)),
        headlight="M148 352C174 342 208 338 234 338C222 356 188 364 146 366Z",
        tail_light="M806 308C792 310 780 316 774 324C786 340 804 346 820 346Z",
    ),
    "roadster": Body(
        outline=(
            "M112 432C100 412 102 386 118 370C168 346 258 336 356 332C396 300 432 282 466 276L476 284"
            "C458 298 446 314 440 334C520 326 600 322 640 326C700 330 776 334 828 346C846 362 850 394 842 420"
            "L834 434L764 436A68 68 0 0 0 628 436L324 438A68 68 0 0 0 188 436L120 436Z"
        ),
        glass="M372 332C406 304 436 290 462 286C448 300 438 316 434 332Z",
        pillars=("M560 326C562 300 596 296 606 324",),
        doors="M420 340C414 376 416 408 424 434M596 330C600 366 594 404 584 434",
        front_wheel=256,
        rear_wheel=696,
        wheel_radius=58,
        sill=436,
        handles=((556, 352), (556, 352)),
        headlight="M124 372C150 360 186 354 214 354C202 374 164 382 120 384Z",
        tail_light="M836 356C818 354 800 356 790 362C804 374 826 378 844 376Z",
    ),
}

PAINTS = {
    "black": Paint("#2b2f36", "#14161a", "#6b7480"),
    "blue": Paint("#2f5fa8", "#1c3c70", "#8fb4ea"),
    "green": Paint("#3f6f57", "#274738", "#93c2a8"),
    "grey": Paint("#7d858e", "#555c64", "#c3c9d0"),
    "red": Paint("#b8323a", "#7a1d24", "#f08a8e"),
    "silver": Paint("#b9c0c8", "#8b939c", "#f2f5f8"),
    "white": Paint("#eef1f4", "#bcc4cd", "#ffffff"),
}


def draw_car(body_name: str, paint_name: str, place: str) -> str:
    """Return the SVG of a car in the "showroom" or, nose to the right, in the "yard" at dusk."""
    body, paint = BODIES[body_name], PAINTS[paint_name]
    car = _car(body)
    if place == "yard":
        car = f'<g transform="translate({WIDTH} 0) scale(-1 1)">{car}</g>'
    scene = _yard() if place == "yard" else _showroom()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f"<defs>{_gradients(paint)}</defs>{scene}{car}</svg>\n"
    )


def _gradients(paint: Paint) -> str:
    return (
        _gradient("paint", (0, paint.shine), (0.34, paint.base), (0.62, paint.base), (1, paint.shade))
        + _gradient("glass", (0, "#9fb6c6"), (0.5, "#4d6273"), (1, "#2c3a46"))
        + _gradient("wall", (0, "#dfe5ea"), (1, "#f7f9fa"))
        + _gradient("floor", (0, "#c9d1d8"), (1, "#e9edf0"))
        + _gradient("sky", (0, "#33466b"), (0.55, "#c98a77"), (1, "#f0c79b"))
        + _gradient("asphalt", (0, "#4b515b"), (1, "#31363e"))
        + '<radialGradient id="rim"><stop offset="0" stop-color="#f4f6f8"/><stop offset="1" stop-color="#98a2ac"/>'
        "</radialGradient>"
        '<radialGradient id="shadow"><stop offset="0.4" stop-opacity="0.5"/><stop offset="1" stop-opacity="0"/>'
        "</radialGradient>"
    )


def _gradient(name: str, *stops: tuple[float, str]) -> str:
    inner = "".join(f'<stop offset="{offset:g}" stop-color="{color}"/>' for offset, color in stops)
    return f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">{inner}</linearGradient>'


def _showroom() -> str:
    panels = "".join(f'<path d="M{x} 0V400" stroke="#cfd7de" stroke-width="2"/>' for x in range(120, WIDTH, 180))
    lamps = "".join(f'<rect x="{x}" y="38" width="120" height="10" rx="5" fill="#fff"/>' for x in (150, 330, 510, 690))
    return (
        f'<rect width="{WIDTH}" height="400" fill="url(#wall)"/>{panels}{lamps}'
        f'<rect y="400" width="{WIDTH}" height="200" fill="url(#floor)"/>'
    )


def _yard() -> str:
    trees = (
        "M0 396L40 330L72 372L108 306L150 380L210 340L252 392L330 352L372 394L470 372L560 396L640 350L690 392L742 320"
        "L790 376L850 300L900 366L960 322V400H0Z"
    )
    return (
        f'<rect width="{WIDTH}" height="400" fill="url(#sky)"/><path d="{trees}" fill="#2a3340" fill-opacity="0.75"/>'
        f'<rect y="396" width="{WIDTH}" height="204" fill="url(#asphalt)"/>'
        f'<path d="M0 548H{WIDTH}" stroke="#d9dde2" stroke-width="5" stroke-dasharray="70 50" stroke-opacity="0.5"/>'
    )


def _car(body: Body) -> str:
    line = 'fill="none" stroke="#000" stroke-opacity="0.28" stroke-width="2.5"'
    handles = "".join(
        f'<rect x="{x}" y="{y}" width="38" height="7" rx="3.5" fill="#000" fill-opacity="0.35"/>'
        for x, y in body.handles
    )
    pillars = "".join(f'<path d="{pillar}" stroke="#1b222a" stroke-width="11" fill="none"/>' for pillar in body.pillars)
    return (
        f'<ellipse cx="480" cy="{GROUND + 2}" rx="430" ry="26" fill="url(#shadow)"/>'
        f'<path d="M{body.front_wheel} {body.sill - 40}H{body.rear_wheel}V{body.sill + 14}H{body.front_wheel}Z" '
        'fill="#14181d"/>'
        f'<path d="{body.outline}" fill="url(#paint)" stroke="#000" stroke-opacity="0.35" stroke-width="2"/>'
        f'<path d="{body.glass}" fill="url(#glass)" stroke="#12171c" stroke-width="5" stroke-linejoin="round"/>'
        f'{pillars}<path d="{body.doors}" {line}/>{handles}'
        f'<path d="{body.headlight}" fill="#f6fbff" stroke="#5b6a76" stroke-width="2"/>'
        f'<path d="{body.tail_light}" fill="#d4242e" stroke="#6d1015" stroke-width="2"/>'
        f"{_wheel(body.front_wheel, body.wheel_radius)}{_wheel(body.rear_wheel, body.wheel_radius)}"
    )


def _wheel(x: int, radius: int) -> str:
    y = GROUND - radius
    spokes = "".join(
        f'<path d="M0 {-radius * 0.12:.1f}L0 {-radius * 0.58:.1f}" transform="rotate({angle})"/>'
        for angle in range(0, 360, 36)
    )
    return (
        f'<g transform="translate({x} {y})"><circle r="{radius}" fill="#1a1d21"/>'
        f'<circle r="{radius * 0.66:.1f}" fill="url(#rim)"/><circle r="{radius * 0.58:.1f}" fill="#3b434b"/>'
        f'<g stroke="#dfe4e8" stroke-width="{radius * 0.13:.1f}" stroke-linecap="round">{spokes}</g>'
        f'<circle r="{radius * 0.15:.1f}" fill="#c4ccd3"/></g>'
    )
