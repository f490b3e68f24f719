// The front page's panel: a picture until somebody starts it, since it loads Python.

(() => {
  const place = document.getElementById("living-panel");
  const button = place?.querySelector(".md-button");
  if (!button) return;

  function start(event) {
    event.preventDefault();
    const frame = document.createElement("iframe");
    Object.assign(frame, { src: button.href, title: "A cluster to break", allow: "clipboard-write" });
    frame.style.cssText = "width: 100%; height: 60rem; border: 0";
    // As high as what it shows: a frame with a scroll bar of its own would hide half of the cluster.
    frame.addEventListener("load", () => {
      const shown = frame.contentDocument?.body;
      if (!shown) return;
      const fit = () => (frame.style.height = `${shown.offsetHeight + 24}px`);
      new frame.contentWindow.ResizeObserver(fit).observe(shown);
    });
    place.replaceChildren(frame);
  }

  for (const link of place.querySelectorAll("a")) link.addEventListener("click", start);
})();
