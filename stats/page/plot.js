"use strict";
// The plot over time: legend, axes, columns or curves, and what the pointer is at.

const HEIGHT = 272;
const LEFT = 52, TOP = 10, BOTTOM = HEIGHT - 24;
const COLOURS = 8;
const LABEL_MINUTES = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 5760, 10080];

/** What can be plotted: stacked columns for what adds up, curves for what does not. */
const MEASURES = {
  requests: { title: "Requests", stacked: true, of: point => point.requests, text: count, axis: compact.format },
  success: {
    title: "Success", share: true, of: point => (point.requests ? point.succeeded / point.requests : null),
    text: percent, axis: share => `${Math.round(share * 100)} %`,
  },
  first: { title: "First output p50", of: point => point.first_output_p50_ms, text: duration, axis: roundDuration },
  total: { title: "Total time p95", of: point => point.total_p95_ms, text: duration, axis: roundDuration },
  tokens: { title: "Tokens", stacked: true, of: point => point.tokens, text: count, axis: compact.format },
};

const colours = new Map();
const hiddenSeries = new Set();
let plot = null; // what is drawn: {statistics, measure, times, series, how, sums, band, x, step, width}
let legend = ""; // what its buttons stand for
let pointed = null; // the bucket that the tooltip tells of

/** Draw a measure of the statistics. `afresh`: another range, its busiest models may have the colours. */
function showPlot(statistics, measure, afresh = false) {
  if (afresh) colours.clear();
  const how = MEASURES[measure];
  const { times, series: found } = timelineOf(statistics);
  const series = how.share ? withAll(times, found) : found;
  for (const each of series)
    each.values = times.map((_, index) => (each.points[index] ? how.of(each.points[index]) : how.stacked ? 0 : null));
  byId("plot-title").textContent = `${how.title} over time`;
  showLegend(series);
  const shown = series.filter(each => !hiddenSeries.has(each.key));
  const drawn = drawPlot(times, shown, how, statistics.time_range.hours);
  plot = { statistics, measure, times, series: shown, how, ...drawn };
  pointAt(pointed);
  if (byId("plot-details").open) showTimeline(times, shown, how);
}

/** The buckets' beginnings, and the series by how busy they are; whom nobody served come last. */
function timelineOf(statistics) {
  const width = statistics.bucket_seconds * 1000;
  const first = Math.floor(Date.parse(statistics.time_range.from) / width) * width;
  const times = [];
  for (let time = first; time < Date.parse(statistics.time_range.to); time += width) times.push(time);
  const found = new Map();
  for (const point of statistics.timeline) {
    const key = JSON.stringify([point.provider, point.model]);
    const served = point.provider !== null;
    if (!found.has(key)) found.set(key, { key, name: nameOf(point), served, requests: 0, points: [] });
    found.get(key).points[Math.floor((Date.parse(point.time) - first) / width)] = point;
    found.get(key).requests += point.requests;
  }
  const series = [...found.values()].sort((one, other) => other.served - one.served || other.requests - one.requests);
  for (const each of series) each.colour = each.served ? colourOf(each.key) : "nobody";
  return { times, series };
}

/** With a curve of all requests, instead of one of those that nobody served: their success is always 0. */
function withAll(times, series) {
  const points = times.map((_, index) => {
    const here = series.map(each => each.points[index]).filter(Boolean);
    const sum = field => here.reduce((total, point) => total + point[field], 0);
    return { requests: sum("requests"), succeeded: sum("succeeded") };
  });
  return [{ key: "all", name: "all requests", points, colour: "all" }, ...series.filter(each => each.served)];
}

/** A series keeps its colour from refresh to refresh. Whoever comes too late for one is grey. */
function colourOf(key) {
  if (!colours.has(key)) colours.set(key, colours.size < COLOURS ? colours.size : "rest");
  return colours.get(key);
}

function coloured(made, { colour }) {
  made.style.color = `var(--series-${colour})`;
  return made;
}

/** The buttons stay as long as the series do, so that the focus stays too. */
function showLegend(series) {
  const wanted = JSON.stringify(series.map(each => [each.key, each.colour]));
  if (legend === wanted) return;
  legend = wanted;
  byId("legend").replaceChildren(...series.map(each => {
    const swatch = coloured(html("span", { class: "swatch" }), each);
    const pressed = !hiddenSeries.has(each.key);
    const button = html("button", { "aria-pressed": pressed, title: each.name }, swatch, html("span", {}, each.name));
    button.addEventListener("click", () => toggle(each.key, button));
    return button;
  }));
}

function toggle(key, button) {
  if (!hiddenSeries.delete(key)) hiddenSeries.add(key);
  button.setAttribute("aria-pressed", !hiddenSeries.has(key));
  showPlot(plot.statistics, plot.measure);
}

function showTimeline(times, series, how) {
  const rows = times.map((time, index) => [moment(time), ...series.map(each => how.text(each.values[index]))]);
  const titles = ["Time", ...series.map(each => each.name)];
  const columns = titles.map((title, index) => ({ title, text: row => row[index], short: !index }));
  fillTable(byId("timeline"), how.title, columns, rows);
}

/** Gives what is needed to point at it. */
function drawPlot(times, series, how, hours) {
  const width = byId("plot").clientWidth;
  const step = (width - LEFT - 4) / times.length;
  const sums = times.map((_, index) => series.reduce((sum, each) => sum + each.values[index], 0));
  const values = how.stacked ? sums : series.flatMap(each => each.values).filter(value => value !== null);
  const scale = how.share ? scaleOfShares(values) : scaleOf(values);
  const x = index => LEFT + index * step;
  const y = value => BOTTOM - ((value - scale.from) / (scale.to - scale.from)) * (BOTTOM - TOP);
  const text = (at, anchor, said) => svg("text", { ...at, "text-anchor": anchor }, said);

  const drawn = svg("svg", { "aria-hidden": true, viewBox: `0 0 ${width} ${HEIGHT}` });
  for (const tick of scale.ticks) {
    drawn.append(svg("line", { class: "grid", x1: LEFT, x2: width, y1: y(tick), y2: y(tick) }));
    drawn.append(text({ x: LEFT - 8, y: y(tick) + 4 }, "end", how.axis(tick)));
  }
  for (const [index, label] of timeLabels(times, hours, Math.floor(width / 80)))
    drawn.append(text({ x: x(index), y: HEIGHT - 6 }, "middle", label));
  if (!values.some(value => value !== 0))
    drawn.append(text({ x: (LEFT + width) / 2, y: HEIGHT / 2 }, "middle", "Nothing to show in this range."));
  const band = svg("rect", { class: "pointed", y: TOP, width: step, height: BOTTOM - TOP });
  drawn.append(band, ...(how.stacked ? stackedColumns(series, x, y, step) : curves(series, x, y, step)));

  byId("plot").querySelector("svg")?.remove();
  byId("plot").prepend(drawn);
  return { sums, band, x, step, width };
}

/** One path for each series, on top of the one before. */
function stackedColumns(series, x, y, step) {
  const heights = [];
  const gap = step > 5 ? Math.min(step * 0.2, 6) : 0;
  return series.map(each => {
    const columns = each.values.map((value, index) => {
      const from = heights[index] ?? 0;
      heights[index] = from + value;
      return value ? `M${x(index) + gap / 2} ${y(from)}V${y(from + value)}h${step - gap}V${y(from)}z` : "";
    });
    return coloured(svg("path", { class: "column", d: columns.join(""), "stroke-width": gap ? 1 : 0 }), each);
  });
}

/** They break where there was nothing; what stands alone is a dot. */
function curves(series, x, y, step) {
  return series.flatMap(each => {
    const isThere = index => (each.values[index] ?? null) !== null;
    const indexes = [...each.values.keys()].filter(isThere);
    const place = index => [x(index) + step / 2, y(each.values[index])];
    const line = indexes.map(index => `${isThere(index - 1) ? "L" : "M"}${place(index).join(" ")}`);
    const alone = indexes.filter(index => step > 20 || !(isThere(index - 1) || isThere(index + 1)));
    const dots = alone.map(place).map(([cx, cy]) => svg("circle", { class: "dot", cx, cy, r: 3.5 }));
    return [svg("path", { class: "curve", d: line.join("") }), ...dots].map(made => coloured(made, each));
  });
}

/** From 0, by at most five round steps. */
function scaleOf(values) {
  const raw = Math.max(...values, 5) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(factor => factor * power >= raw) * power;
  return scale(0, step, Math.max(Math.ceil(Math.max(...values, 0) / step), 1));
}

/** Up to 100 %, and not from 0 if all are far above: success is looked at closely. */
function scaleOfShares(values) {
  const lowest = Math.min(...values, 1);
  const [from, step] = [[0.9, 0.02], [0.8, 0.05], [0.5, 0.1], [0, 0.2]].find(([from]) => from <= lowest);
  return scale(from, step, Math.round((1 - from) / step));
}

function scale(from, step, steps) {
  return { from, to: from + step * steps, ticks: [...Array(steps + 1).keys()].map(index => from + index * step) };
}

/** [index, text] where local time passes a round moment, at most as many as there is room for. */
function timeLabels(times, hours, room) {
  const minutes = LABEL_MINUTES.find(each => (hours * 60) / each <= room) ?? LABEL_MINUTES.at(-1);
  const round = time => Math.floor((time / 60000 - new Date(time).getTimezoneOffset()) / minutes);
  const format = minutes < 1440 ? clock : day;
  const indexes = [...times.keys()].filter(index => index > 0 && round(times[index]) !== round(times[index - 1]));
  return indexes.map(index => [index, format.format(times[index])]);
}

/** Tell what happened in a bucket; null, or one that is none: tell nothing. */
function pointAt(index) {
  const { times, series, how, sums, band, x, step, width } = plot;
  const tooltip = byId("tooltip");
  pointed = index !== null && index >= 0 && index < times.length ? index : null;
  tooltip.hidden = pointed === null;
  band.setAttribute("visibility", tooltip.hidden ? "hidden" : "visible");
  if (tooltip.hidden) return;
  band.setAttribute("x", x(index));
  const told = series.filter(each => (how.stacked ? each.values[index] : each.values[index] !== null));
  const all = how.stacked ? how.text(sums[index]) : told.length ? "" : NOTHING;
  tooltip.replaceChildren(
    html("p", {}, html("span", {}, moment(times[index])), html("span", {}, all)),
    ...told.map(each => html("p", {}, coloured(html("span", { class: "swatch" }), each),
      html("span", {}, each.name), html("span", {}, how.text(each.values[index])))),
  );
  const isRight = x(index) > (LEFT + width) / 2;
  tooltip.style.left = isRight ? "auto" : `${x(index) + step + 8}px`;
  tooltip.style.right = isRight ? `${width - x(index) + 8}px` : "auto";
}

function pointAtKey(name) {
  const last = plot.times.length - 1;
  const keys = {
    ArrowLeft: Math.max((pointed ?? last + 1) - 1, 0), ArrowRight: Math.min((pointed ?? -1) + 1, last),
    Home: 0, End: last, Escape: null,
  };
  if (name in keys) pointAt(keys[name]);
  return name in keys;
}

for (const name of ["pointermove", "pointerdown"])
  byId("plot").addEventListener(name, event => {
    pointAt(Math.floor((event.clientX - byId("plot").getBoundingClientRect().left - LEFT) / plot.step));
  });
for (const name of ["pointerleave", "blur"]) byId("plot").addEventListener(name, () => pointAt(null));
byId("plot").addEventListener("keydown", event => {
  if (pointAtKey(event.key)) event.preventDefault();
});
