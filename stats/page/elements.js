"use strict";
// Numbers and times as people read them, and the making of elements.

const NOTHING = "–";
const NOBODY = "nobody";
const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const exactClock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** In all that follows null is what is not known. */
function count(number) {
  return number === null ? NOTHING : whole.format(number);
}

/** Rounded down: 100 % means all of them. */
function percent(share) {
  return share === null ? NOTHING : `${(Math.floor(share * 1000 + 1e-6) / 10).toFixed(1)} %`;
}

function duration(milliseconds) {
  if (milliseconds === null) return NOTHING;
  return milliseconds < 1000 ? `${whole.format(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Of a number that is round already, as on an axis. */
function roundDuration(milliseconds) {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`;
}

function countdown(seconds) {
  const left = Math.ceil(seconds);
  const padded = number => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor(left / 60) % 60];
  return hours ? `${hours}:${padded(minutes)}:${padded(left % 60)}` : `${minutes}:${padded(left % 60)}`;
}

function moment(time) {
  return `${day.format(time)}, ${clock.format(time)}`;
}

function nameOf({ provider, model }) {
  if (provider === null) return NOBODY;
  return model ? `${provider} / ${model}` : provider;
}

function byId(id) {
  return document.getElementById(id);
}

/** Children that are strings become text and never HTML: names in the statistics are other people's words. */
function make(namespace, name, attributes, children) {
  const made = document.createElementNS(namespace, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function html(name, attributes = {}, ...children) {
  return make("http://www.w3.org/1999/xhtml", name, attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return make("http://www.w3.org/2000/svg", name, attributes, children);
}

/** A column is {title, text: what a row shows, field: of the row's number, if it is one, short: not to be broken}. */
function fillTable(table, caption, columns, rows, whenEmpty = "No requests in this range.") {
  const kind = column => ({ class: column.field ? "number" : column.short ? "short" : "" });
  const cell = (column, row) => {
    const number = column.field ? { "data-field": column.field, "data-value": row[column.field] ?? "" } : {};
    return html("td", { ...kind(column), "data-title": column.title, ...number }, column.text(row));
  };
  const titles = columns.map(column => html("th", { scope: "col", ...kind(column) }, column.title));
  const filled = rows.map(row => html("tr", {}, ...columns.map(column => cell(column, row))));
  const empty = html("tr", {}, html("td", { colspan: columns.length, class: "empty" }, whenEmpty));
  table.replaceChildren(
    html("caption", { class: "unseen" }, caption),
    html("thead", {}, html("tr", {}, ...titles)),
    html("tbody", {}, ...(filled.length ? filled : [empty])),
  );
}

/** A choice of one among {value: title}. */
function fillChoice(fieldset, titles, chosen, choose) {
  for (const [value, title] of Object.entries(titles)) {
    const input = html("input", { type: "radio", name: fieldset.id, value });
    input.checked = value === chosen;
    input.addEventListener("change", () => choose(value));
    fieldset.append(html("label", {}, input, html("span", {}, title)));
  }
}
