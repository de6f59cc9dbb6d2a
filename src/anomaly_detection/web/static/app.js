"use strict";
// What pages do with JavaScript beyond HTMX: arrow keys in lanes, waiting buttons, lists that are filtered.
(() => {
  const boxes = table => [...table.querySelectorAll("a.box")];

  const oneStop = table => {
    const all = boxes(table);
    if (all.length && !all.some(box => box === document.activeElement)) {
      all.forEach((box, i) => { box.tabIndex = i ? -1 : 0; });
    }
  };
  const prepare = () => document.querySelectorAll("[data-lanes]").forEach(oneStop);
  document.addEventListener("htmx:afterSettle", prepare);
  prepare();

  const inRow = (box, by) => {
    const row = [...box.closest("tr").querySelectorAll("a.box")];
    return row[row.indexOf(box) + by];
  };
  const inColumn = (box, by) => {
    const rows = [...box.closest("tbody").rows].filter(row => row.querySelector("a.box"));
    const next = rows[rows.indexOf(box.closest("tr")) + by];
    const far = other => Math.abs(other.closest("td").cellIndex - box.closest("td").cellIndex);
    return next && [...next.querySelectorAll("a.box")].sort((a, b) => far(a) - far(b))[0];
  };
  const moves = { ArrowLeft: [inRow, -1], ArrowRight: [inRow, 1], ArrowUp: [inColumn, -1], ArrowDown: [inColumn, 1] };
  document.addEventListener("keydown", event => {
    const box = event.target.closest("a.box");
    if (!box || !moves[event.key]) return;
    event.preventDefault();
    const [to, by] = moves[event.key];
    const next = to(box, by);
    if (!next) return;
    box.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  document.addEventListener("submit", event => {
    const words = event.target.dataset.busy;
    if (!words) return;
    const button = event.target.querySelector("button[type=submit]");
    button.setAttribute("aria-busy", "true");
    button.dataset.words = button.textContent;
    button.textContent = words;
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("button[aria-busy][data-words]").forEach(button => {
      button.removeAttribute("aria-busy");
      button.textContent = button.dataset.words;
    });
  });

  document.addEventListener("input", event => {
    const what = event.target.dataset.filter;
    if (!what) return;
    const words = event.target.value.toLowerCase();
    document.querySelectorAll(what).forEach(one => { one.hidden = !one.textContent.toLowerCase().includes(words); });
  });
})();
