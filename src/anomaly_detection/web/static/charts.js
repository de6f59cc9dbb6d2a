"use strict";
// Draws series: values, what was expected, anomalies by severity, and the anomaly score below; both follow each other.
(() => {
  const KINDS = ["normal", "low", "medium", "high", "critical"];
  const TYPES = { f8: Float64Array, f4: Float32Array, u1: Uint8Array };
  const LINE = 0.6;
  const SCORES = 120;
  const DAY = 86400;
  // From which distance on marks of a time axis have which words, and what is added where a day or year begins.
  const DATES = [
    [365 * DAY, "{YYYY}"], [28 * DAY, "{YYYY}-{MM}"], [DAY, "{MM}-{DD}", "\n{YYYY}"], [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}"],
    [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}"], [0.001, "{HH}:{mm}:{ss}.{fff}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}"],
  ].map(([step, words, year = null, month = null, day = null]) => [step, words, year, month, day, null, null, null, 1]);
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const number = value => value == null || Number.isNaN(value) ? "–" : Number(value.toPrecision(5)).toLocaleString("en");

  const unpack = buffer => {
    const size = new DataView(buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
    const columns = {};
    let place = 4 + size;
    head.names.forEach((name, i) => {
      const column = new TYPES[head.types[i]](buffer, place, head.rows);
      place += column.byteLength;
      columns[name] = column.some(Number.isNaN) ? Array.from(column, one => Number.isNaN(one) ? null : one) : column;
    });
    return { head, columns };
  };

  const axes = timed => {
    const one = { stroke: colour("soft"), grid: { stroke: colour("rule"), width: 1 }, ticks: { stroke: colour("rule") } };
    const rows = (_, marks) => marks.map(mark => mark.toLocaleString("en"));
    return [{ ...one, space: 70, values: timed ? DATES : rows }, { ...one, size: 56 }];
  };

  class Plot {
    constructor(figure, { head, columns }) {
      this.figure = figure;
      this.head = head;
      this.columns = columns;
      this.odd = [];
      columns.severity.forEach((kind, i) => { if (kind > 0) this.odd.push(i); });
      this.began = performance.now();
      figure.replaceChildren();
      this.tools();
      this.values = this.holder(`${figure.dataset.title}, with its anomalies`, true);
      this.scores = this.holder("Anomaly score", false);
      this.readout = figure.appendChild(Object.assign(document.createElement("p"), { className: "readout" }));
      this.draw();
      new ResizeObserver(() => this.resize()).observe(figure);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    }

    holder(label, moves) {
      const box = this.figure.appendChild(document.createElement("div"));
      box.setAttribute("aria-label", moves ? `${label}. Arrow keys read it, n and p go from anomaly to anomaly, plus and minus zoom.` : label);
      box.setAttribute("role", moves ? "slider" : "img");
      if (moves) {
        box.tabIndex = 0;
        box.setAttribute("aria-valuemin", "0");
        box.setAttribute("aria-valuemax", String(this.head.rows - 1));
        box.setAttribute("aria-valuenow", "0");
        box.addEventListener("keydown", event => this.key(event));
      }
      return box;
    }

    tools() {
      const row = this.figure.appendChild(document.createElement("div"));
      row.className = "tools";
      const doings = { "Zoom in": () => this.zoom(0.5), "Zoom out": () => this.zoom(2), "Earlier": () => this.shift(-0.5), "Later": () => this.shift(0.5), "Show all": () => this.all() };
      for (const [words, work] of Object.entries(doings)) {
        const button = row.appendChild(document.createElement("button"));
        Object.assign(button, { type: "button", className: "secondary outline", textContent: words, onclick: work });
      }
    }

    draw() {
      this.plots?.forEach(plot => plot.destroy());
      const { columns } = this;
      const line = { width: 1.25, points: { show: false } };
      const series = [{}, { ...line, stroke: colour("ink") }];
      const data = [columns.time, columns.value];
      const bands = [];
      if (columns.expected) {
        series.push({ ...line, stroke: colour("link"), dash: [4, 3] }, { ...line, width: 0, stroke: "transparent" }, { ...line, width: 0, stroke: "transparent" });
        data.push(columns.expected, columns.upper, columns.lower);
        bands.push({ series: [3, 4], fill: `${colour("link")}29` });
      }
      const height = this.height();
      this.plots = [
        this.plot(this.values, height, series, data, { bands, hooks: { draw: [plot => this.dots(plot, columns.value), () => this.drawn()], setCursor: [plot => this.read(plot)] } }),
        this.plot(this.scores, SCORES, [{}, { ...line, stroke: colour("soft") }], [columns.time, columns.score], { scales: { y: { range: [0, 1] } }, hooks: { draw: [plot => this.alarm(plot)] } }),
      ];
    }

    plot(holder, height, series, data, more) {
      const { timed } = this.head;
      const [first, second] = data[0];
      const range = (_, min, max) => second === undefined ? [first - 1800, first + 1800] : [min, max];
      const follow = (plot, key) => key === "x" && this.follow(plot);
      return new uPlot({
        width: this.figure.clientWidth, height, series, axes: axes(timed), legend: { show: false },
        tzDate: seconds => uPlot.tzDate(new Date(1000 * seconds), "Etc/UTC"),
        cursor: { sync: { key: "series" }, drag: { x: true, y: false }, points: { show: false } },
        ...more,
        scales: { x: { time: timed, range }, ...more.scales },
        hooks: { ...more.hooks, setScale: [follow] },
      }, data, holder);
    }

    follow(from) {
      if (this.following || !this.plots) return;
      this.following = true;
      const { min, max } = from.scales.x;
      this.plots.filter(plot => plot !== from).forEach(plot => plot.setScale("x", { min, max }));
      this.following = false;
    }

    dots(plot, values) {
      const { ctx } = plot;
      const size = 3.5 * devicePixelRatio;
      const { min, max } = plot.scales.x;
      ctx.save();
      ctx.beginPath();
      ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
      ctx.clip();
      for (let kind = 1; kind < KINDS.length; kind++) {
        ctx.fillStyle = colour(KINDS[kind]);
        ctx.beginPath();
        for (const i of this.odd) {
          const at = this.columns.time[i];
          if (this.columns.severity[i] !== kind || values[i] == null || at < min || at > max) continue;
          const x = plot.valToPos(at, "x", true), y = plot.valToPos(values[i], "y", true);
          ctx.moveTo(x + size, y);
          ctx.arc(x, y, size, 0, 2 * Math.PI);
        }
        ctx.fill();
      }
      ctx.restore();
    }

    alarm(plot) {
      const { ctx, bbox } = plot;
      const y = plot.valToPos(LINE, "y", true);
      ctx.save();
      ctx.strokeStyle = colour("high");
      ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.restore();
    }

    drawn() {
      if (this.figure.dataset.drawn) return;
      this.figure.dataset.drawn = (performance.now() - this.began).toFixed(1);
      this.figure.dataset.points = this.head.rows;
    }

    when(i) {
      const at = this.columns.time[i];
      return this.head.timed ? new Date(1000 * at).toISOString().slice(0, 19).replace("T", " ") : `row ${at.toLocaleString("en")}`;
    }

    words(i) {
      const { value, expected, lower, upper, severity, score } = this.columns;
      const band = expected?.[i] == null ? "" : `, expected ${number(expected[i])} (${number(lower[i])} to ${number(upper[i])})`;
      return `${this.when(i)}: ${this.head.label} ${number(value[i])}${band}, score ${score[i].toFixed(2)}, ${KINDS[severity[i]]}`;
    }

    read(plot) {
      const i = plot.cursor.idx;
      this.readout.textContent = i == null ? "" : this.words(i);
    }

    go(i) {
      const plot = this.plots[0];
      const at = this.columns.time[i];
      const { min, max } = plot.scales.x;
      if (at < min || at > max) this.show(at - (max - min) / 2, at + (max - min) / 2);
      this.at = i;
      this.values.setAttribute("aria-valuenow", String(i));
      this.values.setAttribute("aria-valuetext", this.words(i));
      requestAnimationFrame(() => plot.setCursor({ left: plot.valToPos(at, "x"), top: plot.over.clientHeight / 2 }));
      this.readout.textContent = this.words(i);
    }

    near(place) {
      return this.plots[0].valToIdx(place);
    }

    key(event) {
      const [first, last] = this.plots[0].series[0].idxs;
      const step = Math.max(1, Math.round((last - first) / 100));
      const now = this.at ?? first;
      const doings = {
        ArrowRight: () => this.go(Math.min(last, now + step)), ArrowLeft: () => this.go(Math.max(first, now - step)),
        Home: () => this.go(first), End: () => this.go(last), "+": () => this.zoom(0.5), "-": () => this.zoom(2), Escape: () => this.all(),
        n: () => this.go(this.odd.find(i => i > now) ?? now), p: () => this.go(this.odd.findLast(i => i < now) ?? now),
      };
      if (!doings[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      doings[event.key]();
    }

    show(min, max) {
      const { time } = this.columns;
      const first = time[0], last = time[time.length - 1];
      const length = Math.min(max - min, last - first);
      const start = Math.min(Math.max(min, first), last - length);
      this.plots[0].setScale("x", { min: start, max: start + length });
    }

    zoom(by) {
      const { min, max } = this.plots[0].scales.x;
      const middle = this.at == null ? (min + max) / 2 : this.columns.time[this.at];
      this.show(middle - by * (max - min) / 2, middle + by * (max - min) / 2);
    }

    shift(by) {
      const { min, max } = this.plots[0].scales.x;
      this.show(min + by * (max - min), max + by * (max - min));
    }

    all() {
      const { time } = this.columns;
      this.show(time[0], time[time.length - 1]);
    }

    height() {
      return this.figure.clientWidth < 500 ? 220 : 320;
    }

    resize() {
      const width = this.figure.clientWidth, height = this.height();
      this.plots.forEach((plot, i) => { if (plot.width !== width) plot.setSize({ width, height: i ? SCORES : height }); });
    }
  }

  document.querySelectorAll("[data-plot]").forEach(async figure => {
    figure.setAttribute("aria-busy", "true");
    figure.querySelector(".waiting").textContent = "Loading the points…";
    try {
      const answer = await fetch(figure.dataset.plot);
      if (!answer.ok) throw new Error(`the service answered ${answer.status}`);
      const found = unpack(await answer.arrayBuffer());
      if (found.head.rows) figure.plot = new Plot(figure, found);
    } catch (error) {
      figure.replaceChildren(Object.assign(document.createElement("p"), { className: "problem", role: "alert", textContent: `The points could not be loaded: ${error.message}. The tables have the numbers.` }));
    }
    figure.removeAttribute("aria-busy");
  });

  document.addEventListener("click", event => {
    const button = event.target.closest("[data-place]");
    const figure = document.querySelector("[data-plot]");
    if (!button || !figure?.plot) return;
    const place = Number(button.dataset.place), { plot } = figure;
    const { time } = plot.columns;
    const length = Math.max((time[time.length - 1] - time[0]) / 20, 1e-9);
    plot.show(place - length / 2, place + length / 2);
    plot.go(plot.near(place));
    figure.scrollIntoView({ block: "nearest" });
  });
})();
