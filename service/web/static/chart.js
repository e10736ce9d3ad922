// Draws what a table says: <figure data-chart="/console/…" data-of="outcomes" data-tones="good info bad" data-unit="s">
// with the table in it. The drawing is for the eyes alone; the table stays, for who cannot see it or has no scripts.
// The answer: {"outcomes": {"x": [epoch seconds], "lines": {"name": [1, null, 2]}}}; figures of one address share it.

const WIDTH_LEAST = 120;
const SLOWEST = 300;

const colour = (tone) => getComputedStyle(document.documentElement).getPropertyValue(`--chart-${/^[a-z]+$/.test(tone ?? "") ? tone : "plain"}`).trim();
const clock = (at, more = {}) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false, ...more });
const size = (figure, place) => ({ width: Math.max(place.clientWidth, WIDTH_LEAST), height: Number(figure.dataset.height) || 150 });

const options = (figure, place, lines) => {
  const unit = figure.dataset.unit ? ` ${figure.dataset.unit}` : "";
  const tones = (figure.dataset.tones ?? "").split(" ");
  const axis = {
    stroke: colour("dim"),
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { stroke: colour("grid"), width: 1, size: 4 },
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
  };
  return {
    ...size(figure, place),
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, least, most) => [Math.min(0, least ?? 0), Math.max((most ?? 0) * 1.05, 1)] } },
    axes: [
      { ...axis, size: 28, space: 56, values: (_, moments) => moments.map((at) => clock(at)) },
      { ...axis, size: 44, space: 32, values: (_, values) => values.map((value) => `${value}${unit}`) },
    ],
    series: [
      { label: "At", value: (_, at) => (at ? clock(at) : "–") },
      ...Object.keys(lines).map((label, number) => ({
        label,
        stroke: colour(tones[number]),
        width: 1.75,
        points: { show: lines[label].filter((value) => value !== null).length < 3, size: 5 },
        value: (_, value) => (value === null || value === undefined ? "–" : `${value}${unit}`),
      })),
    ],
  };
};

class Drawing {
  constructor(figure) {
    this.figure = figure;
    this.place = document.createElement("div");
    this.place.className = "drawing";
    this.place.setAttribute("aria-hidden", "true");
    const caption = figure.querySelector("figcaption");
    if (caption) caption.after(this.place);
    else figure.prepend(this.place);
    this.plot = null;
    this.known = null;
    new ResizeObserver(() => this.plot?.setSize(size(figure, this.place))).observe(figure);
  }

  show(known) {
    this.known = known;
    this.plot?.destroy();
    this.plot = null;
    const found = known?.[this.figure.dataset.of];
    if (found) this.plot = new uPlot(options(this.figure, this.place, found.lines), [found.x, ...Object.values(found.lines)], this.place);
    this.figure.dataset.drawn = String(Boolean(this.plot));
  }
}

const follow = (address, drawings) => {
  const every = Number(drawings[0].figure.dataset.every) || 60;
  let etag = "";
  let wait = every;
  const turn = async () => {
    if (!document.hidden) {
      try {
        const headers = { "X-Onhook-Live": "1", ...(etag ? { "If-None-Match": etag } : {}) };
        const answer = await fetch(address, { headers, cache: "no-store", signal: AbortSignal.timeout(10_000) });
        if (answer.ok) {
          etag = answer.headers.get("ETag") ?? "";
          const known = await answer.json();
          for (const drawing of drawings) drawing.show(known);
        } else if (answer.status !== 304) throw new Error(`status ${answer.status}`);
        wait = every;
      } catch {
        wait = Math.min(wait * 2, SLOWEST);
      }
    }
    setTimeout(turn, wait * 1000);
  };
  turn();
};

const byAddress = new Map();
for (const figure of document.querySelectorAll("[data-chart]")) {
  byAddress.set(figure.dataset.chart, [...(byAddress.get(figure.dataset.chart) ?? []), new Drawing(figure)]);
}
for (const [address, drawings] of byAddress) follow(address, drawings);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const drawing of [...byAddress.values()].flat()) drawing.show(drawing.known);
});
