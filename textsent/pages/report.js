"use strict";
const SENTIMENTS = ["negative", "neutral", "positive"];
const SHOWN_AT_ONCE = 40;
const [PLACE, DATE, SCORE, SENTIMENT, SENDER, SUBJECT, TEXT, GROUPS] = [0, 1, 2, 3, 4, 5, 6, 7];
const byId = (id) => document.getElementById(id);
const rows = JSON.parse(byId("rows").textContent);
const groups = JSON.parse(byId("groups").textContent);
const searched = rows.map((row) => [row[SENDER], row[SUBJECT], row[TEXT]].join("\n").toLowerCase());
const form = byId("filter"), list = byId("list"), more = byId("more"), found = byId("found");
const fields = { words: byId("words-of"), from: byId("from"), to: byId("to"), sentiment: byId("sentiment"), order: byId("order") };
const orders = {
  negative: (a, b) => rows[a][SCORE] - rows[b][SCORE],
  positive: (a, b) => rows[b][SCORE] - rows[a][SCORE],
  new: (a, b) => rows[b][DATE].localeCompare(rows[a][DATE]),
  old: (a, b) => rows[a][DATE].localeCompare(rows[b][DATE]),
};
let group = null;
let matching = [];
let shown = 0;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function item(row) {
  const made = element("li"), about = element("p", "about"), from = element("span", "from");
  const sentiment = SENTIMENTS[row[SENTIMENT]];
  about.append(element("span", `tag ${sentiment}`, sentiment), " ", element("span", "score", row[SCORE].toFixed(3)), " ");
  if (row[SUBJECT]) about.append(element("bdi", "subject", row[SUBJECT]), " ");
  from.append(element("bdi", "", row[SENDER]), ` ${row[DATE]} ${row[PLACE]}`);
  about.append(from);
  const text = element("blockquote", "", row[TEXT]);
  text.dir = "auto";
  made.append(about, text);
  return made;
}

function showMore() {
  list.append(...matching.slice(shown, shown + SHOWN_AT_ONCE).map((place) => item(rows[place])));
  shown = Math.min(shown + SHOWN_AT_ONCE, matching.length);
  more.hidden = shown >= matching.length;
}

function apply() {
  const words = fields.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const { from, to } = { from: fields.from.value, to: fields.to.value };
  matching = [...rows.keys()].filter((place) => {
    const row = rows[place], day = row[DATE].slice(0, 10);
    return words.every((word) => searched[place].includes(word))
      && (!from || (day && day >= from)) && (!to || (day && day <= to))
      && (fields.sentiment.value === "" || row[SENTIMENT] === Number(fields.sentiment.value))
      && (!group || row[GROUPS][group[0]] === group[1]);
  }).sort(orders[fields.order.value]);
  shown = 0;
  list.replaceChildren();
  showMore();
  const of = group ? ` of ${groups[group[0]][0]} “${groups[group[0]][1][group[1]]}”` : "";
  found.textContent = `${matching.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} texts here${of}`;
}

function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const names = ["words", "from", "to", "by"].filter((name) => asked.has(name));
  if (!names.length) return;
  for (const name of ["words", "from", "to"]) fields[name].value = asked.get(name) || "";
  fields.sentiment.value = "";
  const [which, place] = (asked.get("by") || "").split(".").map(Number);
  group = asked.has("by") && groups[which] && groups[which][1][place] !== undefined ? [which, place] : null;
  apply();
  byId("texts").scrollIntoView();
  byId("texts").focus({ preventScroll: true });
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const key = (text) => {
    const number = parseFloat(text.replace(/,/g, ""));
    return /^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(number) ? text : number;
  };
  heads.forEach((head, column) => {
    const button = element("button", "", head.textContent);
    button.type = "button";
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const body = table.tBodies[0];
      const keyed = [...body.rows].map((row) => [key(row.cells[column].textContent.trim()), row]);
      keyed.sort(([a], [b]) => sign * (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? 1 : -1));
      body.append(...keyed.map(([, row]) => row));
    });
  });
}

document.querySelectorAll("table.sortable").forEach(sortable);
form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", apply);
form.addEventListener("reset", () => {
  group = null;
  history.replaceState(null, "", location.pathname + location.search);
  setTimeout(apply);
});
more.addEventListener("click", showMore);
addEventListener("hashchange", follow);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link && link.getAttribute("href") === location.hash) follow(); // the same once more
});
apply();
follow();
