"""Draws a part on a workbench, as SVG."""

from __future__ import annotations

from math import cos, pi, sin

WIDTH, HEIGHT = 640, 480
# What the second picture of a part shows of the first.
DETAIL = "190 130 300 225"


def draw_part(kind: str, view: str) -> str:
    """Return the SVG of a part: "whole" or, closer, in "detail"."""
    box = DETAIL if view == "detail" else f"0 0 {WIDTH} {HEIGHT}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{WIDTH}" height="{HEIGHT}">'
        f"<defs>{_GRADIENTS}</defs>{_BENCH}"
        f'<g stroke="#20262c" stroke-width="3" stroke-linejoin="round">{PARTS[kind]}</g></svg>\n'
    )


def _gradient(name: str, *colors: str) -> str:
    stops = "".join(
        f'<stop offset="{place / (len(colors) - 1):g}" stop-color="{color}"/>' for place, color in enumerate(colors)
    )
    return f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">{stops}</linearGradient>'


_GRADIENTS = (
    _gradient("metal", "#eef1f4", "#a3adb7", "#737d87", "#b9c1c9")
    + _gradient("dark", "#5b646e", "#2c3238")
    + _gradient("copper", "#e2a56c", "#9a5a2b")
    + _gradient("wall", "#f3f5f7", "#dde3e8")
    + _gradient("bench", "#c8a57c", "#a9835a")
)
_BENCH = (
    f'<rect width="{WIDTH}" height="370" fill="url(#wall)"/>'
    f'<rect y="370" width="{WIDTH}" height="110" fill="url(#bench)"/>'
    f'<path d="M0 372H{WIDTH}" stroke="#8a683f" stroke-width="4"/>'
    '<ellipse cx="320" cy="392" rx="220" ry="16" fill="#000" fill-opacity="0.22"/>'
)


def _rect(x: int, y: int, width: int, height: int, fill: str = "url(#metal)", radius: int = 6) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="{fill}"/>'


def _circle(x: float, y: float, radius: float, fill: str = "url(#metal)") -> str:
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:g}" fill="{fill}"/>'


def _bolts(x: int, y: int, ring: int, count: int) -> str:
    angles = (2 * pi * number / count for number in range(count))
    return "".join(_circle(x + ring * cos(angle), y + ring * sin(angle), 6, "url(#dark)") for angle in angles)


def _path(data: str, fill: str = "url(#metal)") -> str:
    return f'<path d="{data}" fill="{fill}"/>'


def _cable(data: str, color: str) -> str:
    return f'<path d="{data}" fill="none" stroke="{color}" stroke-width="9" stroke-linecap="round"/>'


def _engine() -> str:
    bores = "".join(_circle(x, 214, 34) + _circle(x, 214, 26, "url(#dark)") for x in (205, 282, 359, 436))
    return (
        _path("M150 168H490L506 260H134Z")
        + bores
        + _rect(134, 260, 372, 86)
        + _path("M170 346H470L446 388H194Z", "url(#dark)")
        + "".join(_rect(x, 276, 50, 54, "url(#dark)", 25) for x in (166, 252, 338, 424))
        + _bolts(320, 300, 178, 2)
    )


def _bumper() -> str:
    return (
        _path(
            "M84 252C110 214 190 196 320 196C450 196 530 214 556 252L566 330C560 356 540 372 516 376H124"
            "C100 372 80 356 74 330Z"
        )
        + _path("M196 250H444L428 304H212Z", "url(#dark)")
        + "".join(f'<path d="M{x} 252V302" stroke="#8a949e"/>' for x in range(224, 430, 24))
        + _circle(136, 322, 22, "#dfe9f0")
        + _circle(504, 322, 22, "#dfe9f0")
        + _rect(262, 326, 116, 26, "#f4f6f8", 4)
    )


def _alternator() -> str:
    fins = "".join(f'<path d="M{x} 206V346" stroke="#59636d" stroke-width="6"/>' for x in range(296, 440, 20))
    return (
        _rect(262, 180, 200, 194, radius=34)
        + fins
        + _circle(248, 278, 92)
        + _bolts(248, 278, 76, 8)
        + _circle(248, 278, 46, "url(#dark)")
        + _circle(248, 278, 26)
        + _circle(248, 278, 9, "url(#dark)")
        + _rect(444, 196, 44, 40, "url(#copper)")
        + _path("M300 182L330 140H386L414 182Z")
    )


def _gearbox() -> str:
    return (
        _path("M112 160C170 150 214 172 232 214V350C214 384 170 392 112 386Z")
        + _path("M232 206L400 226V346L232 362Z")
        + _rect(400, 244, 118, 86)
        + _rect(518, 266, 44, 42, "url(#dark)")
        + "".join(f'<path d="M{x} 214V354" stroke="#6d7781"/>' for x in (268, 304, 340, 376))
        + _circle(150, 272, 44, "url(#dark)")
        + _circle(150, 272, 18)
        + _rect(292, 352, 80, 30, "url(#dark)")
        + _path("M420 244L436 190H456L462 244Z", "url(#dark)")
    )


def _door() -> str:
    return (
        _path("M172 378V262L268 124H470C478 200 478 300 462 378Z", "url(#metal)")
        + _path("M206 252L280 146H450C454 186 456 220 455 252Z", "#8fa5b4")
        + '<path d="M214 244L276 156M250 246L330 150" stroke="#dfe9f0" stroke-width="8" fill="none"/>'
        + _rect(392, 282, 54, 14, "url(#dark)", 7)
        + '<path d="M184 320C270 310 370 310 464 322" fill="none" stroke="#59636d"/>'
        + _path("M164 252L196 248V276L160 280Z", "url(#dark)")
    )


def _turbocharger() -> str:
    return (
        _circle(258, 270, 108)
        + '<path d="M258 178A92 92 0 1 1 170 300" fill="none" stroke="#6d7781" stroke-width="8"/>'
        + _circle(258, 270, 54, "url(#dark)")
        + "".join(
            f'<path d="M258 270L258 222" transform="rotate({angle} 258 270)" stroke="#dfe4e8" stroke-width="7"/>'
            for angle in range(0, 360, 40)
        )
        + _circle(258, 270, 12)
        + _rect(352, 226, 66, 90, "url(#dark)")
        + _circle(462, 272, 74, "url(#copper)")
        + _circle(462, 272, 34, "url(#dark)")
        + _path("M160 196L120 128H204L226 170Z")
        + _path("M494 206L520 140H570L536 232Z", "url(#copper)")
    )


def _headlight() -> str:
    return (
        _path(
            "M96 300C112 226 216 176 372 172C462 172 530 190 552 224L532 312C480 352 350 372 226 368"
            "C150 364 104 342 96 300Z",
            "url(#dark)",
        )
        + _path(
            "M124 300C142 240 232 204 374 200C446 200 500 212 520 236L506 300C456 330 350 344 236 340"
            "C168 336 132 322 124 300Z",
            "#e8f0f6",
        )
        + "".join(
            _circle(x, y, r) + _circle(x, y, r * 0.55, "#fdfefe")
            for x, y, r in ((232, 274, 42), (342, 262, 46), (446, 254, 34))
        )
        + '<path d="M140 318C220 336 380 336 500 306" fill="none" stroke="#9fd0f2" stroke-width="9"/>'
    )


def _starter() -> str:
    return (
        _rect(236, 236, 250, 118, radius=24)
        + _rect(262, 166, 170, 66, radius=28)
        + _path("M148 250L236 228V362L148 340Z")
        + _rect(96, 276, 56, 40, "url(#dark)")
        + "".join(f'<path d="M{x} 278V314" stroke="#dfe4e8"/>' for x in (106, 118, 130, 142))
        + _circle(450, 198, 12, "url(#copper)")
        + "".join(f'<path d="M{x} 238V352" stroke="#6d7781"/>' for x in (300, 420))
        + _circle(474, 266, 6, "url(#dark)")
        + _circle(474, 324, 6, "url(#dark)")
    )


def _wiring() -> str:
    return (
        _cable("M120 330C120 180 300 150 330 250S500 380 520 210", "#c0392b")
        + _cable("M110 300C160 140 320 180 340 280S480 340 540 240", "#2f5fa8")
        + _cable("M130 350C200 380 250 240 320 220S460 260 530 290", "#e0b13a")
        + _cable("M118 316C200 250 260 340 350 330S470 190 530 250", "#2b2f36")
        + _rect(84, 286, 60, 78, "url(#dark)", 8)
        + _rect(512, 196, 66, 112, "#e6eaee", 8)
        + "".join(
            _rect(524 + 22 * column, 210 + 24 * row, 14, 14, "url(#copper)", 2)
            for row in range(4)
            for column in range(2)
        )
        + _rect(296, 214, 56, 34, "#3b434b", 10)
    )


PARTS = {
    "alternator": _alternator(),
    "bumper": _bumper(),
    "door": _door(),
    "engine": _engine(),
    "gearbox": _gearbox(),
    "headlight": _headlight(),
    "starter": _starter(),
    "turbocharger": _turbocharger(),
    "wiring": _wiring(),
}
