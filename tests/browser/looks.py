"""How a drawn panel is looked at by a program: what sticks out, what is cut off, what cannot be read."""

from __future__ import annotations

from typing import Any

STICKS_OUT = """() => {
  const panel = document.querySelector('.rl-panel'), box = panel.getBoundingClientRect(), found = [];
  const tell = (one, what) => found.push(`${what}: <${one.tagName} class="${one.getAttribute('class')}"> `
    + one.textContent.slice(0, 40));
  for (const one of [panel, ...panel.querySelectorAll('*')]) {
    const { left, right, width } = one.getBoundingClientRect();
    if (!width || one.closest('.rl-sr')) continue;
    if (left < box.left - 0.5 || right > box.right + 0.5) tell(one, 'beyond the edge');
    const text = one.matches('input, select, svg *') || one.clientWidth === 0;
    if (!text && one.scrollWidth > one.clientWidth + 1) tell(one, 'wider than its box');
  }
  const output = panel.closest('.jp-OutputArea-output') || document.documentElement;
  if (output.scrollWidth > output.clientWidth + 1) tell(output, 'the output scrolls');
  return found;
}"""

FAINT = """() => {
  const EXEMPT = 'svg, .rl-sr, [aria-disabled=true], .is-old, option';
  const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
    .getContext('2d', { willReadFrequently: true });
  const parse = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, index) => (part * a + under[index] * (255 - a)) / 255);
  const ground = (one) => {
    if (!one) return [255, 255, 255];
    const colour = parse(getComputedStyle(one).backgroundColor);
    return colour[3] === 255 ? colour : over(colour, ground(one.parentElement));
  };
  const light = (colour) => {
    const linear = (part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const faint = [];
  for (const one of document.querySelectorAll('.rl-panel *')) {
    const words = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').trim();
    if (!words || !one.getClientRects().length || one.closest(EXEMPT)) continue;
    const under = ground(one), ink = over(parse(getComputedStyle(one).color), under);
    const lights = [light(under), light(ink)];
    const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(1)}: ${words.slice(0, 40)}`);
  }
  return faint;
}"""


def sticks_out(page: Any) -> list[str]:
    """Parts of the panel beyond its edge, cut off, or to be scrolled sideways."""
    found: list[str] = page.evaluate(STICKS_OUT)
    return found


def faint(page: Any) -> list[str]:
    """Texts of the panel whose contrast is below 4.5 to 1 (controls that cannot act now are dim on purpose)."""
    found: list[str] = page.evaluate(FAINT)
    return found
