// Draws each chart from the table beside it. Without a script, or without room, the table is the chart.
(() => {
  const drawer = document.currentScript.dataset.hvUplot;
  const root = document.documentElement;
  const language = root.lang === "zh-hans" ? "zh-Hans-CN" : root.lang;
  const dayOf = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" });
  const numberOf = new Intl.NumberFormat(language);
  const shortOf = new Intl.NumberFormat(language, { notation: "compact" });

  // A colour as the page paints it: uPlot reads no variables.
  function colour(element, property, value) {
    const probe = document.createElement("span");
    probe.style.setProperty(property, value);
    element.append(probe);
    const found = getComputedStyle(probe).getPropertyValue(property);
    probe.remove();
    return found;
  }

  function options(plot, width) {
    const line = colour(plot, "color", "var(--tblr-primary)");
    const fill = colour(plot, "color", "rgba(var(--tblr-primary-rgb), .12)");
    const text = colour(plot, "color", "var(--tblr-secondary)");
    const grid = colour(plot, "color", "var(--tblr-border-color)");
    const axis = { stroke: text, font: `12px ${getComputedStyle(plot).fontFamily}`, ticks: { show: false } };
    return {
      width,
      height: 176,
      tzDate: (seconds) => new Date(seconds * 1000),
      cursor: { y: false, points: { size: 7 } },
      legend: { show: false },
      padding: [8, 12, 0, 0],
      scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(most * 1.1, 4)] } },
      axes: [
        { ...axis, size: 26, gap: 6, grid: { show: false }, space: 70, values: (_, ticks) => ticks.map((tick) => dayOf.format(tick * 1000)), incrs: [1, 2, 3, 5, 7, 10].map((days) => days * 86400) },
        { ...axis, size: 44, gap: 6, grid: { stroke: grid, width: 1 }, space: 44, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? shortOf.format(tick) : "")) },
      ],
      series: [{}, { stroke: line, fill, width: 2, points: { show: false } }],
    };
  }

  // What the point under the pointer says.
  function tell(plot, figure) {
    const says = document.createElement("div");
    says.className = "hv-chart-says";
    plot.append(says);
    return (chart) => {
      const place = chart.cursor.idx;
      says.hidden = place == null;
      if (place != null) says.textContent = `${dayOf.format(chart.data[0][place] * 1000)}: ${numberOf.format(chart.data[1][place])}`;
    };
  }

  function draw(figure) {
    const rows = [...figure.querySelectorAll("tr[data-x]")];
    const plot = figure.querySelector(".hv-chart-plot");
    if (rows.length < 2) return;
    const data = [rows.map((row) => Date.parse(row.dataset.x) / 1000), rows.map((row) => Number(row.dataset.y))];
    let chart;
    const render = () => {
      chart?.destroy();
      plot.replaceChildren();
      chart = new uPlot({ ...options(plot, plot.clientWidth), hooks: { setCursor: [tell(plot, figure)] } }, data, plot);
    };
    figure.querySelector("details").open = false;
    plot.classList.add("hv-chart-drawn");
    render();
    new ResizeObserver(() => { if (chart.width !== plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: 176 }); }).observe(plot);
    new MutationObserver(render).observe(root, { attributeFilter: ["data-bs-theme"] });
  }

  // What draws comes after the page: nobody waits for it to read.
  addEventListener("load", () => {
    const script = Object.assign(document.createElement("script"), { src: drawer });
    script.addEventListener("load", () => document.querySelectorAll("[data-hv-chart]").forEach(draw));
    document.head.append(script);
  });
})();
