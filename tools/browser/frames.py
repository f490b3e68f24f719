"""How many pictures a second the panel really draws."""

COUNT_FRAMES = """seconds => new Promise(done => {
  const canvas = [...document.querySelectorAll('.rl-dots')].at(-1), pen = canvas.getContext('2d');
  const end = performance.now() + seconds * 1000;
  let last = 0, frames = 0;
  const look = () => {
    const pixels = new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    let sum = 0;
    for (let place = 0; place < pixels.length; place += 3) sum = (sum * 31 + pixels[place]) | 0;
    if (sum !== last) frames += 1;
    last = sum;
    performance.now() < end ? requestAnimationFrame(look) : done(frames / seconds);
  };
  requestAnimationFrame(look);
})"""
"""Counts, in the page, how often the pixels of the last panel's dots change; a frame that draws nothing new is none."""
