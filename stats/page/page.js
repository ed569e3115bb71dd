"use strict";
// Asks the gateway for its statistics every few seconds and shows them.

const REFRESH_SECONDS = 10;
const STALE_SECONDS = 30;
const PATIENCE_SECONDS = 15;
const STORED_KEY = "uniapi-stats-key";
// The page may be served below a prefix, and with a slash at the end.
const STATISTICS_URL = new URL("v1/stats", location.origin + location.pathname.replace(/\/+$/, ""));
const RANGES = { 1: "1 h", 24: "24 h", 168: "7 d", 720: "30 d" };

let key = sessionStorage.getItem(STORED_KEY);
let statistics = null;
let receivedAt = 0;
let problem = "";
let hours = "24";
let measure = "requests";
let asking = null; // the request under way, or the last one
let timer = 0;

// --- Asking ---

async function refresh() {
  clearTimeout(timer);
  asking?.abort();
  if (key === null || document.hidden) return;
  const mine = asking = new AbortController();
  try {
    const { answer, body } = await ask(mine.signal);
    if (mine.signal.aborted) return;
    if (answer.status === 401) return forget("The gateway does not know this key. It has to be one of api.yaml's.");
    if (answer.status === 403) return forget("This key may not see the statistics: it is not an admin's.");
    if (answer.ok) receive(body);
    else problem = `The gateway answered ${answer.status}: ${body.error?.message ?? answer.statusText}`;
  } catch {
    if (mine.signal.aborted) return;
    problem = "The gateway does not answer.";
  }
  timer = setTimeout(refresh, REFRESH_SECONDS * 1000);
  show();
}

async function ask(signal) {
  const answer = await fetch(`${STATISTICS_URL}?hours=${hours}`, {
    headers: { Authorization: `Bearer ${key}` },
    cache: "no-store",
    credentials: "omit",
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_SECONDS * 1000)]),
  });
  const text = await answer.text();
  return { answer, body: answer.ok ? JSON.parse(text) : errorIn(text) };
}

function errorIn(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function receive(body) {
  const isOtherRange = body.time_range.hours !== statistics?.time_range.hours;
  [statistics, receivedAt, problem] = [body, Date.now(), ""];
  sessionStorage.setItem(STORED_KEY, key);
  byId("board").hidden = false; // only what is shown has a width to draw for
  showStatistics(isOtherRange);
}

function forget(why = "") {
  clearTimeout(timer);
  asking?.abort();
  sessionStorage.removeItem(STORED_KEY);
  [key, statistics, problem] = [null, null, why];
  show();
  byId("key").focus();
}

// --- Showing ---

function show() {
  byId("sign-in").hidden = key !== null;
  byId("forget").hidden = byId("freshness").hidden = key === null;
  byId("board").hidden = statistics === null;
  byId("problem").hidden = !problem;
  byId("problem").textContent = problem && key ? `${problem} Trying again every ${REFRESH_SECONDS} s.` : problem;
  tick();
}

/** Every second: how old the numbers are, and what is left of the cooldowns. */
function tick() {
  const age = Math.round((Date.now() - receivedAt) / 1000);
  const isStale = Boolean(problem) || (statistics !== null && age > STALE_SECONDS);
  byId("freshness").classList.toggle("stale", isStale);
  if (statistics === null) byId("freshness").textContent = problem ? "No numbers yet" : "Asking the gateway…";
  else if (isStale) byId("freshness").textContent = `Not live: numbers of ${exactClock.format(receivedAt)}`;
  else byId("freshness").textContent = `Live, updated ${age} s ago`;
  for (const left of document.querySelectorAll("#cooldowns .left")) {
    const seconds = left.dataset.seconds - (Date.now() - receivedAt) / 1000;
    left.textContent = seconds > 0 ? countdown(seconds) : "over";
  }
}

function showStatistics(isOtherRange) {
  const { totals, time_range: range, lost_rows } = statistics;
  const numbers = { ...totals, lost_rows };
  for (const place of document.querySelectorAll("[data-total]"))
    place.textContent = count(numbers[place.dataset.total] ?? null);
  const success = totals.requests ? totals.succeeded / totals.requests : null;
  document.querySelector("[data-total=success_rate]").textContent = percent(success);
  byId("lost").hidden = !lost_rows;
  byId("span").textContent = `${moment(Date.parse(range.from))} to ${moment(Date.parse(range.to))}`;
  showPlot(statistics, measure, isOtherRange);
  showCooldowns();
  showErrors();
  showModels();
  showCounts();
}

function showCooldowns() {
  const items = statistics.cooldowns.map(cooldown => {
    const details = [nameOf(cooldown), cooldown.key, cooldown.region, cooldown.why].filter(Boolean).join(" · ");
    const left = html("span", { class: "left", role: "timer", "data-seconds": cooldown.seconds_left });
    return html("li", {}, html("span", {}, cooldown.what), left, html("span", { class: "quiet" }, details));
  });
  byId("cooldowns").replaceChildren(...(items.length ? items : [html("li", { class: "empty" }, "None.")]));
}

function showErrors() {
  const when = error => {
    const time = Date.parse(error.time);
    return html("time", { datetime: error.time }, `${day.format(time)}, ${exactClock.format(time)}`);
  };
  const columns = [
    { title: "Time", text: when, short: true },
    { title: "Provider / model", text: nameOf },
    { title: "Error", text: error => error.error ?? NOTHING, short: true },
    { title: "Status", text: error => String(error.status ?? NOTHING), field: "status" },
    { title: "Endpoint", text: error => error.endpoint, short: true },
  ];
  fillTable(byId("last_errors"), "Last errors", columns, statistics.last_errors, "None in this range.");
}

function numberColumn(title, field, text) {
  return { title, field, text: row => text(row[field] ?? null) };
}

/** One row for each provider and model: what three lists say of it. */
function showModels() {
  const rows = new Map();
  for (const list of ["channel_model_success_rates", "latencies", "tokens"])
    for (const entry of statistics[list]) {
      const name = JSON.stringify([entry.provider, entry.model]);
      rows.set(name, { ...rows.get(name), ...entry });
    }
  fillTable(byId("models"), "Providers and models", [
    { title: "Provider / model", text: nameOf },
    numberColumn("Attempts", "total_requests", count),
    numberColumn("Success", "success_rate", percent),
    numberColumn("First p50", "first_output_p50_ms", duration),
    numberColumn("First p95", "first_output_p95_ms", duration),
    numberColumn("Total p50", "total_p50_ms", duration),
    numberColumn("Total p95", "total_p95_ms", duration),
    numberColumn("Prompt", "prompt", count),
    numberColumn("Cached", "cached", count),
    numberColumn("Completion", "completion", count),
    numberColumn("Reasoning", "reasoning", count),
  ], [...rows.values()]);
}

function showCounts() {
  const requests = numberColumn("Requests", "count", count);
  const attempts = numberColumn("Attempts", "total_requests", count);
  const success = numberColumn("Success", "success_rate", percent);
  showCount("channel_success_rates", [{ title: "Provider", text: nameOf }, attempts, success]);
  showCount("model_request_counts", [{ title: "Model asked for", text: row => row.model || NOTHING }, requests]);
  showCount("endpoint_request_counts", [{ title: "Endpoint", text: row => row.endpoint }, requests]);
  showCount("ip_request_counts", [{ title: "Address", text: row => row.ip }, requests]);
}

/** Each list in a card of its own, which stays so that its scrolling stays. */
function showCount(list, columns) {
  const [{ title }] = columns;
  if (!byId(list)) {
    const region = { class: "scroll", tabindex: 0, role: "region", "aria-label": title };
    byId("counts").append(html("section", { class: "card" }, html("div", region, html("table", { id: list }))));
  }
  fillTable(byId(list), title, columns, statistics[list]);
}

// --- What people do ---

byId("key-form").addEventListener("submit", event => {
  event.preventDefault();
  const typed = byId("key").value.trim();
  byId("key").value = "";
  if (!/^[\x21-\x7e]+$/.test(typed)) return forget("A key has letters, digits and signs of ASCII, and no spaces.");
  [key, problem] = [typed, ""];
  show();
  refresh();
});
byId("forget").addEventListener("click", () => forget());
byId("plot-details").addEventListener("toggle", () => statistics && showPlot(statistics, measure));
document.addEventListener("visibilitychange", refresh);
fillChoice(byId("hours"), RANGES, hours, chosen => {
  hours = chosen;
  refresh();
});
const titles = Object.fromEntries(Object.entries(MEASURES).map(([name, { title }]) => [name, title]));
fillChoice(byId("measure"), titles, measure, chosen => {
  measure = chosen;
  showPlot(statistics, measure);
});
new ResizeObserver(() => statistics && showPlot(statistics, measure)).observe(byId("plot"));
setInterval(tick, 1000);
show();
refresh();
