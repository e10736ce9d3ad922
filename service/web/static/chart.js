// Draws what a table says: <figure data-chart="/console/…json"> with the table in it. The drawing is for the eyes alone;
// the table stays, for who cannot see it or has no scripts. The answer:
// {"at": [epoch seconds], "series": [{"label": "…", "tone": "good", "values": [1, null, 2]}], "unit": "s", "is_stacked": false}

const tones = ["good", "warn", "bad", "info", "dim", "plain"];

const colour = (tone) => getComputedStyle(document.documentElement).getPropertyValue(`--chart-${tones.includes(tone) ? tone : "plain"}`).trim();

const written = (value, unit) => (value === null || value === undefined ? "–" : `${Number(value.toFixed(3))}${unit ? ` ${unit}` : ""}`);

const stacked = (series) => {
  const sums = [];
  return series.map((one) => one.values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0))));
};

const options = (figure, said) => {
  const axis = {
    stroke: colour("dim"),
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { stroke: colour("grid"), width: 1, size: 4 },
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
  };
  return {
    width: Math.max(figure.clientWidth, 120),
    height: Number(figure.dataset.height) || 150,
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    legend: { live: true },
    scales: { y: { range: (_, least, most) => [Math.min(0, least ?? 0), Math.max(most ?? 0, 1)] } },
    axes: [
      { ...axis, values: (_, moments) => moments.map((at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })) },
      { ...axis, size: 44, values: (_, values) => values.map((value) => `${value}`) },
    ],
    series: [
      { label: "Time", value: (_, at) => (at ? new Date(at * 1000).toLocaleTimeString([], { hour12: false }) : "–") },
      ...said.series.map((one) => ({
        label: one.label,
        stroke: colour(one.tone),
        fill: said.is_stacked ? `${colour(one.tone)}` : undefined,
        width: 1.5,
        spanGaps: false,
        points: { show: false },
        value: (_, __, ___, at) => written(at === null ? null : one.values[at], said.unit),
      })),
    ],
  };
};

const draw = (figure, said) => {
  figure.querySelector(".drawing")?.remove();
  const place = document.createElement("div");
  place.className = "drawing";
  place.setAttribute("aria-hidden", "true");
  figure.prepend(place);
  const order = said.is_stacked ? [...said.series].reverse() : said.series;
  const values = said.is_stacked ? stacked(said.series).reverse() : order.map((one) => one.values);
  return new uPlot(options(figure, { ...said, series: order }), [said.at, ...values], place);
};

for (const figure of document.querySelectorAll("[data-chart]")) {
  let drawn = null;
  let known = null;
  let etag = "";
  let wait = 0;
  const every = Number(figure.dataset.every) || 30;

  const redraw = () => {
    drawn?.destroy();
    drawn = known && known.at.length ? draw(figure, known) : null;
    figure.classList.toggle("empty", !drawn);
    figure.dataset.drawn = String(Boolean(drawn));
  };

  const turn = async () => {
    if (!document.hidden) {
      try {
        const headers = { "X-Onhook-Live": "1", ...(etag ? { "If-None-Match": etag } : {}) };
        const answer = await fetch(figure.dataset.chart, { headers, cache: "no-store", signal: AbortSignal.timeout(10_000) });
        if (answer.ok) {
          known = await answer.json();
          etag = answer.headers.get("ETag") ?? "";
          redraw();
        } else if (answer.status !== 304) throw new Error(`status ${answer.status}`);
        wait = every;
      } catch {
        wait = Math.min((wait || every) * 2, 300);
      }
    }
    setTimeout(turn, (wait || every) * 1000);
  };

  new ResizeObserver(() => drawn?.setSize({ width: Math.max(figure.clientWidth, 120), height: Number(figure.dataset.height) || 150 })).observe(figure);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  turn();
}
