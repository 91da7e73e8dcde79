"""Draws the costs of the rivals as bars: one group per scenario, each on its own scale."""

from html import escape

from tests.load.measure import Cost

SIDES = {
    "limit": "bare limit",
    "limit with rows": "limit with rows",
    "leadapp": "leadapp",
    "peer": "FastAPI peer",
}
BAR, GAP, LEFT, WIDTH = 13, 12, 190, 720
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}"
    ".limit{fill:#9aa4b2}.limit-with-rows{fill:#5f6b7a}.leadapp{fill:#1d5fbf}.peer{fill:#c77d1e}\n"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}"
    ".limit{fill:#6b7683}.limit-with-rows{fill:#a9b4c2}.leadapp{fill:#6aa5f5}.peer{fill:#e0a050}}"
)


def picture(costs: dict[str, Cost]) -> str:
    """Return an SVG picture that follows the reader's light or dark scheme."""
    drawn, y = [_legend()], 40
    for scenario, cost in costs.items():
        drawn.append(
            f'<text x="{LEFT - 10}" y="{y + 11}" text-anchor="end">{escape(scenario)}</text>'
        )
        most = max(cost.of(side) for side in cost.rounds)
        for side in (side for side in SIDES if side in cost.rounds):
            long = (WIDTH - LEFT - 70) * cost.of(side) / most
            place = f'x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR - 2}"'
            drawn.append(f'<rect class="{_class(side)}" {place}/>')
            drawn.append(
                f'<text x="{LEFT + long + 6:.1f}" y="{y + 10}">{cost.of(side):.2f} ms</text>'
            )
            y += BAR
        y += GAP
    title = "Processor time a request: " + ", ".join(SIDES.values())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" '
        f'aria-label="{title}">'
        f"<title>{title}</title><style>{STYLE}</style>" + "".join(drawn) + "</svg>\n"
    )


def _legend() -> str:
    x, drawn = LEFT, ""
    for side, words in SIDES.items():
        drawn += f'<rect class="{_class(side)}" x="{x}" y="12" width="11" height="11"/>'
        drawn += f'<text x="{x + 16}" y="22">{words}</text>'
        x += 130
    return drawn


def _class(side: str) -> str:
    return side.replace(" ", "-")
