"""Draws horizontal bars as an SVG for light and dark pages."""

from xml.sax.saxutils import escape

WIDTH, LABEL, BAR, ROW, PANEL = 720, 190, 430, 26, 44
STYLE = """
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-weight:600;font-size:14px}.note{fill:#59636e;font-size:12px}.first{font-weight:600}
rect{fill:#afb8c1}.ours{fill:#0969da}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}rect{fill:#57606a}.ours{fill:#4493f8}}
"""


def svg(panels, notes):
    """`panels`: pairs of a title and rows; a row is a label and a time in milliseconds. The first row of a panel is highlighted."""
    parts, y = [], 8
    for title, rows in panels:
        y += 18
        parts.append(f'<text class="title" x="0" y="{y}">{escape(title)}</text>')
        y += 12
        longest = max(time for _, time in rows)
        for number, (label, time) in enumerate(rows):
            # A bar of less than a pixel would not be seen.
            width = max(1.5, BAR * time / longest)
            label_class, bar_class = (' class="first"', ' class="ours"') if number == 0 else ("", "")
            parts.append(f'<text{label_class} x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>')
            parts.append(f'<rect{bar_class} x="{LABEL}" y="{y + 3}" width="{width:.1f}" height="15" rx="1.5"/>')
            parts.append(f'<text{label_class} x="{LABEL + width + 6:.1f}" y="{y + 14}">{duration(time)}</text>')
            y += ROW
        y += PANEL - ROW
    for note in notes:
        y += 17
        parts.append(f'<text class="note" x="0" y="{y}">{escape(note)}</text>')
    spoken = "; ".join(f"{title}: " + ", ".join(f"{label} {duration(time)}" for label, time in rows) for title, rows in panels)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" role="img" aria-label="{escape(spoken, {chr(34): "&quot;"})}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def duration(milliseconds):
    """Three significant digits."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
