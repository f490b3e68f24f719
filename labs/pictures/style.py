"""The diagram's colours, widths and textures, as CSS inside the SVG.

Law of this module: every rule is under `.st-diagram`, for an SVG's style canvas speaks to the whole page that it is put
into. Light and dark follow the reader's system; JupyterLab's own theme, where there is one, overrules it.
"""

LIGHT = """
--st-bg:var(--jp-layout-color0,#fff);--st-ink:var(--jp-ui-font-color1,#1f2430);--st-soft:#5b6475;--st-grid:#e6e9ef;
--st-follower:#3d7fb5;--st-candidate:#8250c4;--st-leader:#f5b400;--st-edge:#8a6100;--st-paused:#00796b;--st-down:#8a939d;
--st-heartbeat:#d9aebf;--st-replication:#1268b8;--st-election:#8250c4;--st-client:#2b7a46;--st-bad:#c62f3b;
--st-good:#2b7a46;--st-fault:#8a4b00;--st-wash:#fff0d6;--st-badwash:#fdebec;--st-tint:0.06;
"""

DARK = """
--st-bg:var(--jp-layout-color0,#14171c);--st-ink:var(--jp-ui-font-color1,#e8eaf0);--st-soft:#a9b3c2;--st-grid:#282e38;
--st-follower:#5aa9e6;--st-candidate:#b892f0;--st-leader:#ffc93c;--st-edge:#5c3d00;--st-paused:#4db6ac;--st-down:#7d8790;
--st-heartbeat:#7d4c62;--st-replication:#6cb8ff;--st-election:#b892f0;--st-client:#5ccf83;--st-bad:#ff7b84;
--st-good:#5ccf83;--st-fault:#ffd08a;--st-wash:#43310f;--st-badwash:#43191d;--st-tint:0.09;
"""

RULES = """
font-family:var(--jp-ui-font-family,system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif);font-size:11px
|text|fill:var(--st-ink)
|path|fill:none;stroke-linejoin:round
|.st-ground|fill:var(--st-bg)
|.st-title|font-size:15px;font-weight:600
|.st-node|font-size:12px;font-weight:600
|.st-lane|fill:var(--st-soft);font-style:italic
|.st-tick|fill:var(--st-soft)
|.st-grid|stroke:var(--st-grid);stroke-width:1
|.st-axis|stroke:var(--st-soft);stroke-width:1
|.st-line|stroke-linecap:butt
|.st-line.st-follower|stroke:var(--st-follower)
|.st-line.st-leader|stroke:var(--st-leader)
|.st-line.st-candidate|stroke:var(--st-candidate);stroke-dasharray:5 3
|.st-line.st-paused|stroke:var(--st-paused)
|.st-line.st-down|stroke:var(--st-down);stroke-dasharray:1.5 5
|.st-hollow|stroke:var(--st-bg);stroke-width:4
|.st-m path|stroke:var(--c);stroke-width:1.5
|.st-heartbeat|--c:var(--st-heartbeat)
|.st-replication|--c:var(--st-replication)
|.st-election|--c:var(--st-election)
|.st-m.st-heartbeat path|stroke-width:1
|.st-m.st-heartbeat:not(.st-answer) path|fill:var(--c)
|.st-m.st-election path|stroke-width:1.9
|.st-m.st-answer path:not(.st-tip):not(.st-hit)|stroke-dasharray:4 2.5
|.st-m.st-heartbeat.st-answer path|stroke-dasharray:1.5 2.5
|.st-m.st-guessed path:not(.st-tip):not(.st-hit)|stroke-dasharray:1 4
|.st-m path.st-tip|fill:var(--c);stroke-width:1
|.st-m path.st-hook|fill:none;stroke-width:1.5
|.st-m path.st-again|stroke-dasharray:1 3;stroke-linecap:round
|.st-m path.st-hit|stroke:transparent;stroke-width:9;stroke-dasharray:none
|.st-m.st-gone path:not(.st-cross):not(.st-hit)|stroke-dasharray:6 3
|.st-m path.st-cross|stroke:var(--st-bad);stroke-width:2;stroke-dasharray:none
|.st-m:hover path:not(.st-hit)|stroke-width:3
|.st-m.st-hot path:not(.st-hit)|stroke-width:3
|.st-m.st-hot path.st-hit|stroke:var(--st-leader);stroke-opacity:.4
|.st-mark path|stroke:var(--st-bg);stroke-width:1.5;paint-order:stroke;fill:var(--c)
|.st-lead|--c:var(--st-leader)
|.st-elect|--c:var(--st-candidate)
|.st-bad|--c:var(--st-bad)
|.st-good|--c:var(--st-good)
|.st-pause|--c:var(--st-paused)
|.st-other|--c:var(--st-soft)
|.st-commit|--c:var(--st-ink)
|.st-mark.st-lead path|stroke:var(--st-edge)
|.st-mark.st-is-cross path|stroke:var(--c);stroke-width:3
|.st-mark.st-is-lost path|fill:var(--st-badwash);stroke:var(--c);stroke-width:1.8
|.st-mark.st-is-square path|fill:var(--st-bg);stroke:var(--c)
|.st-mark.st-is-dot path|stroke-width:1
|.st-mark.st-hot path|stroke:var(--st-ink);stroke-width:2.5
|.st-labels text|paint-order:stroke;stroke:var(--st-bg);stroke-width:3.5px;stroke-linejoin:round;pointer-events:none
|.st-term|fill:var(--st-soft)
|text.st-say|fill:var(--st-ink)
|text.st-say.st-lead,.st-diagram text.st-say.st-bad,.st-diagram text.st-say.st-pause|font-weight:600
|text.st-say.st-bad|fill:var(--st-bad)
|text.st-say.st-elect|fill:var(--st-candidate)
|text.st-name|fill:var(--c)
|text.st-name.st-heartbeat|fill:var(--st-soft)
|text.st-client|--c:var(--st-client)
|.st-fault rect|fill:var(--st-wash);stroke:var(--st-fault);stroke-width:1
|.st-fault.st-partition rect|fill:var(--st-badwash);stroke:var(--st-bad)
|.st-fault.st-partition text|fill:var(--st-bad);font-weight:600
|.st-fault text|fill:var(--st-fault)
|.st-tint|fill:var(--st-bad);fill-opacity:var(--st-tint)
|.st-side|stroke:var(--st-bad);stroke-width:1;stroke-dasharray:2 3
|.st-wall|stroke:var(--st-bad);stroke-width:2.5;stroke-dasharray:10 3 2 3;stroke-opacity:.75
|.st-op rect|fill:var(--st-client);stroke:var(--st-client);stroke-width:1.2
|.st-op.st-failed rect|fill:var(--st-bg);stroke:var(--st-bad)
|.st-op.st-unknown rect|fill:var(--st-bg);stroke:var(--st-fault);stroke-dasharray:3 2
|.st-way|stroke:var(--st-client);stroke-width:1;stroke-dasharray:1 3;stroke-opacity:.8
|.st-sign|stroke:var(--st-bad);stroke-width:1.6
|.st-unknown .st-sign|stroke:var(--st-fault)
|.st-op.st-hot rect|stroke:var(--st-ink);stroke-width:2.5
|.st-legend text|fill:var(--st-soft)
"""

DIM = ".st-diagram.st-dim .st-m:not(.st-hot),.st-diagram.st-dim .st-op:not(.st-hot){opacity:.3}"
DIM += ".st-diagram.st-dim .st-legend g{opacity:1!important}"


def _rules() -> str:
    first, *others = RULES.strip().split("\n|")
    return f".st-diagram{{{first}}}" + "".join(
        f".st-diagram {selector}{{{body}}}" for selector, _, body in (rule.partition("|") for rule in others)
    )


def _flat(variables: str) -> str:
    return "".join(variables.split("\n"))


CSS = (
    f".st-diagram{{{_flat(LIGHT)}}}"
    f"@media (prefers-color-scheme:dark){{.st-diagram{{{_flat(DARK)}}}}}"
    f'[data-jp-theme-light="true"] .st-diagram,[data-theme="light"] .st-diagram{{{_flat(LIGHT)}}}'
    f'[data-jp-theme-light="false"] .st-diagram,[data-theme="dark"] .st-diagram{{{_flat(DARK)}}}'
    f"{_rules()}{DIM}"
)
