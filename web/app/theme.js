// The colours that somebody has chosen, or none, which are those of the system. This is no module, so that
// it runs before anything is drawn. Other tabs tell of a change by an event.

const show = () => {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
};
addEventListener("storage", show);
show();
