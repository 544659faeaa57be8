// Offers an interactive version of a chart: values under the pointer, drag to zoom. The drawing stays the default.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const shade = (numbers) => (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    if (numbers.episode) {
      const [from, to] = numbers.episode.map((at) => plot.valToPos(at, "x", true));
      const left = Math.max(bbox.left, from);
      ctx.fillStyle = colour("--episode");
      ctx.fillRect(left, bbox.top, Math.max(1, Math.min(bbox.left + bbox.width, to) - left), bbox.height);
    }
    if (numbers.band) {
      const [low, high] = numbers.band.map((value) => plot.valToPos(value, "y", true));
      ctx.fillStyle = colour("--band");
      ctx.fillRect(bbox.left, high, bbox.width, Math.max(2, low - high));
    }
    ctx.restore();
  };

  const series = (figure, numbers) => {
    const isDuration = numbers.data.length > 2;
    const measured = {
      label: isDuration ? "measured (s)" : `${figure.dataset.title} (${figure.dataset.unit || "no unit"})`,
      stroke: colour("--point"), width: isDuration ? 0 : 1.75, points: { show: isDuration, size: 5, fill: colour("--point") },
    };
    const limits = { label: "at least (s)", stroke: colour("--failing"), width: 0, points: { show: true, size: 9 } };
    const time = { label: "time", value: (_, at) => at === null ? "–" : clock(numbers)(at).slice(0, 19).replace("T", " ") };
    return isDuration ? [time, measured, limits] : [time, measured];
  };

  const clock = (numbers) => (at) => new Date((at + numbers.offset) * 1e3).toISOString();
  const timeAxis = (numbers) => ({
    ...axis(),
    values: (_, ticks) => ticks.map((at) => clock(numbers)(at).slice(11, ticks[1] - ticks[0] < 60 ? 19 : 16)),
  });
  const axis = () => ({ stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } });

  const explore = (figure, drawing) => {
    const numbers = JSON.parse(document.getElementById(figure.dataset.explore).textContent);
    const place = document.createElement("div");
    drawing.after(place);
    const size = () => ({ width: Math.max(200, figure.clientWidth), height: 230 });
    const plot = new uPlot({
      ...size(),
      series: series(figure, numbers),
      axes: [timeAxis(numbers), axis()],
      scales: { y: { range: (_, low) => [Math.min(0, low), numbers.top] } },
      tzDate: (at) => uPlot.tzDate(new Date((at + numbers.offset) * 1e3), "Etc/UTC"),
      hooks: { drawClear: [shade(numbers)] },
    }, numbers.data, place);
    const watch = new ResizeObserver(() => plot.setSize(size()));
    watch.observe(figure);
    return () => { watch.disconnect(); plot.destroy(); place.remove(); };
  };

  for (const figure of document.querySelectorAll("[data-explore]")) {
    const drawing = figure.querySelector("svg.chart");
    const button = document.createElement("button");
    let close = null;
    button.type = "button";
    button.textContent = "Explore";
    button.setAttribute("aria-label", `Explore ${figure.dataset.title}`);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      drawing.toggleAttribute("hidden", !close);
      if (close) { close(); close = null; } else { close = explore(figure, drawing); }
      button.setAttribute("aria-pressed", String(Boolean(close)));
    });
    figure.prepend(button);
  }
})();
