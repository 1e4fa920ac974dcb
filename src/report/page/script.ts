/**
 * The page's program. Without it everything is there to be read; with it the keyboard moves through the steps, the
 * list can be narrowed, and the steps next to the current one in the graph are marked. It makes no markup of text.
 */
export const script = `"use strict";
const list = document.querySelector(".steps");
const rows = [...list.children];
const form = document.querySelector(".filter");
const { text, kind, open, close } = form.elements;
const summaryOf = (row) => row.firstElementChild.firstElementChild;
const rowOf = (node) => node instanceof Element ? node.closest(".steps > li") : null;
const inputsOf = (row) => row.dataset.inputs === "" ? [] : row.dataset.inputs.split(" ").map(Number);
const shown = () => rows.filter((row) => !row.hidden);

// One row takes part in the tab order: the current one.
let current = rows[0];
for (const row of rows) summaryOf(row).tabIndex = row === current ? 0 : -1;
let near = [];
function become(row) {
  if (!row) return;
  summaryOf(current).tabIndex = -1;
  summaryOf(row).tabIndex = 0;
  current = row;
  for (const each of near) each.classList.remove("near");
  const number = rows.indexOf(row) + 1;
  near = [...inputsOf(row).map((input) => rows[input - 1]), ...rows.filter((each) => inputsOf(each).includes(number))].filter(Boolean);
  for (const each of near) each.classList.add("near");
}
function go(row) {
  if (!row) return;
  become(row);
  summaryOf(row).focus();
  row.scrollIntoView({ block: "nearest" });
}
list.addEventListener("focusin", (event) => { if (event.target.matches(".steps > li > details > summary")) become(rowOf(event.target)); });

list.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target !== summaryOf(current)) return;
  const visible = shown();
  const at = visible.indexOf(current);
  const page = Math.max(1, Math.floor(innerHeight / 40));
  const targets = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: visible.length - 1, PageDown: Math.min(at + page, visible.length - 1), PageUp: Math.max(at - page, 0) };
  if (event.key in targets) go(visible[targets[event.key]]);
  else if (event.key === "ArrowRight") current.firstElementChild.open = true;
  else if (event.key === "ArrowLeft") current.firstElementChild.open = false;
  else if (event.key === "c") go(visible.slice(at + 1).concat(visible).find((row) => row.classList.contains("critical")));
  else return;
  event.preventDefault();
});
list.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && rowOf(event.target)) go(rowOf(event.target));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, select")) return;
  event.preventDefault();
  text.focus();
});

const kinds = {
  "": () => true,
  critical: (row) => row.classList.contains("critical"),
  ran: (row) => !row.matches(".cached, .unused"),
  cached: (row) => row.classList.contains("cached"),
  trouble: (row) => row.matches(".failed, .canceled, .warned"),
};
function narrow() {
  const wanted = text.value.toLowerCase();
  for (const row of rows)
    row.hidden = !(kinds[kind.value](row) && (wanted === "" || summaryOf(row).children[1].textContent.toLowerCase().includes(wanted)));
  const visible = shown();
  form.querySelector("output").value = visible.length === rows.length ? "" : visible.length + " of " + rows.length + " steps";
  if (current?.hidden && visible[0]) become(visible[0]);
}
text.addEventListener("input", narrow);
kind.addEventListener("change", narrow);
text.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { text.value = ""; narrow(); }
  else if (event.key === "Enter" || event.key === "ArrowDown") { event.preventDefault(); go(shown()[0]); }
});
form.addEventListener("submit", (event) => event.preventDefault());
open.addEventListener("click", () => { for (const row of shown()) row.firstElementChild.open = true; });
close.addEventListener("click", () => { for (const row of rows) row.firstElementChild.open = false; });

// A link to a step opens it.
function follow() {
  const row = rowOf(document.getElementById(location.hash.slice(1)));
  if (!row) return;
  if (row.hidden) { text.value = ""; kind.value = ""; narrow(); }
  row.firstElementChild.open = true;
  go(row);
  row.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", follow);
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href^='#step-']") : null;
  if (link && link.hash === location.hash) follow();
});
form.hidden = rows.length === 0;
if (location.hash) follow();
`;
