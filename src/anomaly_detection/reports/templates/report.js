"use strict";
(() => {
  const SIDE = 1000;
  const FEWEST_CELLS = 3;
  const HELP = "Point at the chart, or focus it and use the arrow keys. Drag, or press + and −, to zoom.";

  /** A chart whose cells can be read by pointer and keyboard, and whose width can be zoomed. */
  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.frame = figure.querySelector(".frame");
      this.drawing = figure.querySelector(".drawing");
      this.plot = figure.querySelector(".plot");
      this.edges = figure.dataset.edges.split(" ").map(Number);
      this.heads = [...figure.querySelectorAll(".twin thead th")].map((cell) => cell.textContent);
      this.rows = [...figure.querySelectorAll(".twin tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent));
      this.ticks = [...figure.querySelectorAll(".ticks text")];
      this.view = [0, SIDE];
      this.at = -1;
      this.cursor = this.box("cursor");
      this.chosen = this.box("chosen");
      this.addTools();
      this.listen();
      this.draw();
    }

    box(style) {
      const made = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      made.setAttribute("class", style);
      made.setAttribute("height", SIDE);
      made.setAttribute("visibility", "hidden");
      return this.plot.appendChild(made);
    }

    addTools() {
      const tools = document.createElement("div");
      tools.className = "tools";
      for (const [sign, words, act] of [
        ["+", "Zoom in", () => this.zoom(0.5)],
        ["−", "Zoom out", () => this.zoom(2)],
        ["Reset", "Show all", () => this.show(0, SIDE)],
      ]) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = sign;
        button.setAttribute("aria-label", `${words}: ${this.frame.dataset.name}`);
        button.addEventListener("click", act);
        tools.append(button);
      }
      this.readout = document.createElement("p");
      this.readout.className = "readout";
      this.readout.textContent = this.figure.classList.contains("small") ? "" : HELP;
      tools.append(this.readout);
      this.frame.after(tools);
      this.frame.tabIndex = 0;
      this.frame.setAttribute("role", "slider");
      this.frame.setAttribute("aria-label", this.frame.dataset.name);
      this.frame.setAttribute("aria-valuemin", "1");
      this.frame.setAttribute("aria-valuemax", String(this.rows.length));
      this.frame.setAttribute("aria-valuenow", "1");
      this.frame.setAttribute("aria-valuetext", HELP);
      this.drawing.setAttribute("aria-hidden", "true");
    }

    listen() {
      let from = null;
      this.frame.addEventListener("pointerdown", (event) => {
        from = event.button === 0 ? this.place(event) : null;
        if (from === null) return;
        this.frame.setPointerCapture(event.pointerId);
        this.read(this.cell(from));
      });
      this.frame.addEventListener("pointermove", (event) => {
        const place = this.place(event);
        this.read(this.cell(place));
        if (from !== null) this.put(this.chosen, Math.min(from, place), Math.max(from, place));
      });
      this.frame.addEventListener("pointerup", (event) => {
        const place = this.place(event);
        if (from !== null && Math.abs(place - from) > 0.02 * (this.view[1] - this.view[0])) this.choose(from, place);
        from = null;
        this.chosen.setAttribute("visibility", "hidden");
      });
      this.frame.addEventListener("pointercancel", () => {
        from = null;
        this.chosen.setAttribute("visibility", "hidden");
      });
      this.frame.addEventListener("pointerleave", (event) => {
        if (event.pointerType === "mouse" && document.activeElement !== this.frame) this.read(-1);
      });
      this.frame.addEventListener("dblclick", () => this.show(0, SIDE));
      this.frame.addEventListener("blur", () => this.read(-1));
      this.frame.addEventListener("keydown", (event) => this.key(event));
      addEventListener("resize", () => this.draw());
      addEventListener("beforeprint", () => this.show(0, SIDE));
    }

    key(event) {
      const last = this.rows.length - 1;
      const moves = {
        ArrowLeft: Math.max(0, this.at - 1),
        ArrowDown: Math.max(0, this.at - 1),
        ArrowRight: Math.min(last, this.at + 1),
        ArrowUp: Math.min(last, this.at + 1),
        PageDown: Math.max(0, this.at - 10),
        PageUp: Math.min(last, this.at + 10),
        Home: 0,
        End: last,
      };
      const acts = {
        "+": () => this.zoom(0.5),
        "=": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        0: () => this.show(0, SIDE),
        Escape: () => this.show(0, SIDE),
      };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in moves) this.read(moves[event.key], true);
      else if (event.key in acts) acts[event.key]();
      else return;
      event.preventDefault();
    }

    /** Where a pointer is, in the units of the drawing. */
    place(event) {
      const box = this.drawing.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      return this.view[0] + share * (this.view[1] - this.view[0]);
    }

    cell(place) {
      const after = this.edges.findIndex((edge) => edge > place);
      return after < 0 ? this.rows.length - 1 : Math.max(0, after - 1);
    }

    read(at, follow = false) {
      this.at = at;
      this.readout.classList.toggle("live", at >= 0);
      if (at < 0) {
        this.cursor.setAttribute("visibility", "hidden");
        this.readout.textContent = this.figure.classList.contains("small") ? "" : HELP;
        return;
      }
      const [left, right] = [this.edges[at], this.edges[at + 1]];
      if (follow && (left < this.view[0] || right > this.view[1])) this.centre((left + right) / 2, 1);
      this.put(this.cursor, left, right);
      const [first, ...others] = this.rows[at];
      const told = others.map((value, i) => `${this.heads[i + 1]} ${value}`).filter((_, i) => others[i] !== "");
      this.readout.textContent = [first, ...told].join(" · ");
      this.frame.setAttribute("aria-valuenow", String(at + 1));
      this.frame.setAttribute("aria-valuetext", this.readout.textContent);
    }

    put(box, left, right) {
      box.setAttribute("x", left);
      box.setAttribute("width", right - left);
      box.setAttribute("visibility", "visible");
    }

    choose(from, to) {
      const first = this.cell(Math.min(from, to));
      const last = Math.max(this.cell(Math.max(from, to)), Math.min(first + FEWEST_CELLS - 1, this.rows.length - 1));
      this.show(this.edges[first], this.edges[last + 1]);
    }

    zoom(factor) {
      const at = this.at >= 0 ? (this.edges[this.at] + this.edges[this.at + 1]) / 2 : (this.view[0] + this.view[1]) / 2;
      this.centre(at, factor);
    }

    centre(at, factor) {
      const least = FEWEST_CELLS * (SIDE / this.rows.length);
      const width = Math.min(SIDE, Math.max(least, (this.view[1] - this.view[0]) * factor));
      const left = Math.min(SIDE - width, Math.max(0, at - width / 2));
      this.show(left, left + width);
    }

    show(left, right) {
      this.view = [left, right];
      this.draw();
    }

    draw() {
      const [left, right] = this.view;
      this.plot.setAttribute("viewBox", `${left} 0 ${right - left} ${SIDE}`);
      for (const mark of this.figure.querySelectorAll(".drawing > [data-x]")) this.move(mark);
      const room = this.drawing.getBoundingClientRect().width;
      const kept = this.ticks.filter((tick) => "keep" in tick.dataset);
      const seen = this.ticks.filter((tick) => tick.dataset.x >= left && tick.dataset.x <= right);
      const step = this.step(seen, room / (right - left));
      this.ticks.forEach((tick, i) => {
        const free = kept.every((one) => (Math.abs(one.dataset.x - tick.dataset.x) * room) / (right - left) > width(tick) + width(one));
        tick.style.display = seen.includes(tick) && (kept.includes(tick) || (free && i % step === 0)) ? "inline" : "none";
        this.move(tick);
        const share = (tick.dataset.x - left) / (right - left);
        const half = width(tick) / 2 / room;
        tick.setAttribute("text-anchor", share < half ? "start" : share > 1 - half ? "end" : "middle");
      });
    }

    /** The smallest round step between ticks at which their words do not touch. */
    step(seen, scale) {
      for (let power = 1; ; power *= 10) {
        for (const step of [power, 2 * power, 5 * power]) {
          const chosen = seen.filter((tick) => this.ticks.indexOf(tick) % step === 0);
          const apart = chosen.length > 1 ? (chosen[1].dataset.x - chosen[0].dataset.x) * scale : Infinity;
          if (apart >= 1.5 * Math.max(36, ...chosen.map(width))) return step;
        }
      }
    }

    move(mark) {
      const share = (mark.dataset.x - this.view[0]) / (this.view[1] - this.view[0]);
      mark.setAttribute("x", `${100 * share}%`);
      if (!mark.closest(".ticks")) mark.style.display = share >= 0 && share <= 1 ? "inline" : "none";
    }
  }

  /** About how many pixels the words of a tick take, with some room around them. */
  function width(tick) {
    return tick.textContent.length * 7 + 12;
  }

  /** A link to an anomaly opens it. */
  function openTarget() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }

  /** One button that opens all anomalies, or closes them. */
  function addAll() {
    const list = document.querySelector(".anomalies");
    if (!list) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "all";
    button.textContent = "Open all";
    button.addEventListener("click", () => {
      const open = button.textContent === "Open all";
      for (const one of list.children) one.open = open;
      button.textContent = open ? "Close all" : "Open all";
    });
    list.before(button);
  }

  function openForPrint() {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not(.twin):not([open])")];
      for (const one of opened) one.open = true;
    });
    addEventListener("afterprint", () => {
      for (const one of opened) one.open = false;
    });
  }

  document.documentElement.classList.add("scripted");
  for (const figure of document.querySelectorAll("figure.chart")) new Chart(figure);
  addAll();
  openForPrint();
  addEventListener("hashchange", openTarget);
  openTarget();
})();
