"""A panel's browser half alone: its script and stylesheet in an empty page, with a stub in place of the widget model.

`Stage.tell` plays the part of Python: it sets traits and sends messages, as `ClusterPanel` does. `Bundle` shows either
panel, with traits that stay as they are.
"""

from __future__ import annotations

import json
from typing import Any

from labs.cluster.base import NodeStatus, Settings
from labs.panel import assets
from labs.panel.model import PanelModel
from labs.trace.events import Event

TRAITS: dict[str, Any] = {"doing": [], "answer": {}, "problems": [], "availability": "reads", "parts": [], "player": {}}

HALTED = {"playing": False, "speed": 1, "rewinds": True, "moments": [], "span": None, "flying": []}

PAGE = """<!doctype html><html lang="en"><head><title>A panel</title>
<style>%(theme)s body { margin: 12px; background: var(--jp-layout-color0); }
%(css)s</style></head>
<body data-jp-theme-light="%(light)s"><div id="place"></div><script type="module">
const source = new Blob([%(js)s], { type: "text/javascript" });
const { default: widget } = await import(URL.createObjectURL(source));
const listeners = {}, traits = %(traits)s;
window.sent = [];
window.model = {
  get: (name) => traits[name],
  on: (event, listener) => (listeners[event] ??= []).push(listener),
  off: (event, listener) => (listeners[event] = (listeners[event] || []).filter((one) => one !== listener)),
  send: (message) => window.sent.push(message),
};
window.tell = (changed, messages) => {
  Object.assign(traits, changed);
  for (const name of Object.keys(changed)) for (const listener of listeners["change:" + name] || []) listener();
  for (const message of messages) for (const listener of listeners["msg:custom"] || []) listener(message);
};
window.leave = widget.render({ model: window.model, el: document.getElementById("place") });
window.ready = true;
</script></body></html>"""

THEMES = {
    "light": "body { --jp-layout-color0: #fff; --jp-layout-color1: #fff; --jp-ui-font-color1: #212121; }",
    "dark": "body { --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-ui-font-color1: #fff; "
    "--jp-ui-font-color2: #bdbdbd; --jp-border-color2: #616161; --jp-brand-color1: #2196f3; }",
}


class Bundle:
    """A page that shows the panel of this name, `panel` or `exercise`."""

    def __init__(self, page: Any, name: str, traits: dict[str, Any], theme: str = "light") -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_content(
            PAGE
            % {
                "theme": THEMES[theme], "light": str(theme == "light").lower(),
                "css": assets.style(f"{name}.css"), "js": json.dumps(assets.script(f"{name}.js")),
                "traits": json.dumps(traits),
            }
        )  # fmt: skip
        page.wait_for_function("window.ready")


class Stage(Bundle):
    """A page that shows `model`."""

    def __init__(self, page: Any, model: PanelModel, theme: str = "light", **traits: Any) -> None:
        super().__init__(page, "panel", {**TRAITS, **traits, **model.picture()}, theme)
        self.model = model

    def greet(self, now: float, rate: float = 1.0) -> None:
        """Send the whole history, as after a view's hello."""
        self.model.drain()
        history = {"type": "history", "now": now, "rate": rate, **self.model.history()}
        self.page.evaluate("message => tell({}, [message])", history)

    def tell(self, now: float, rate: float = 1.0, **traits: Any) -> None:
        """Send what is new."""
        news = {"type": "news", "now": now, "rate": rate, **self.model.drain()}
        self.page.evaluate("([traits, news]) => tell(traits, [news])", [{**self.model.picture(), **traits}, news])

    def feed(self, events: list[Event], now: float) -> None:
        self.model.feed(events)
        self.tell(now)


def cluster_model(nodes: int = 3, backend: str = "process", **more: Any) -> PanelModel:
    """Everybody follows node-1. `more`: other settings."""
    settings = Settings(nodes=nodes, **more)
    model = PanelModel(settings.node_ids, backend, settings)
    observe(model, dict.fromkeys(settings.node_ids, "follower") | {"node-1": "leader"}, at=100.0)
    return model


def observe(model: PanelModel, roles: dict[str, str], at: float, **raw: Any) -> None:
    statuses = {
        name: NodeStatus(name, "running", True, role, 1, "node-1", 0, raw if role == "leader" else {})
        if role in ("leader", "follower")
        else NodeStatus(name, role)
        for name, role in roles.items()
    }
    model.observe(statuses, at)


def sent(stage: Stage) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = stage.page.evaluate("sent")
    return [{key: value for key, value in message.items() if key != "id"} for message in messages]
