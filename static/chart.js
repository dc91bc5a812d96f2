// A chart is one stop of the Tab key: the arrows go from column to column. Without JavaScript each
// column is a stop.

const columnsOf = (chart) => [...chart.querySelectorAll("li")];

function keepOneStop(chart, stop) {
  for (const column of columnsOf(chart)) {
    column.tabIndex = column === stop ? 0 : -1;
  }
}

function prepareCharts() {
  for (const chart of document.querySelectorAll(".chart-columns")) {
    keepOneStop(chart, columnsOf(chart).at(-1));
  }
}

document.addEventListener("DOMContentLoaded", prepareCharts);
document.addEventListener("htmx:afterSettle", prepareCharts);

document.addEventListener("keydown", (event) => {
  const column = event.target.closest?.(".chart-columns > li");
  if (!column) {
    return;
  }
  const columns = columnsOf(column.parentElement);
  const place = columns.indexOf(column);
  const next = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: columns.length - 1 }[event.key];
  if (columns[next]) {
    event.preventDefault();
    keepOneStop(column.parentElement, columns[next]);
    columns[next].focus();
  }
});
