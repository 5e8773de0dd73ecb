// Runs before the first paint. The server has written the person's choice; "auto" is settled here.
(() => {
  const root = document.documentElement;
  root.classList.add("hv-js");
  if (root.dataset.hvTheme !== "auto") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const settle = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  settle();
  dark.addEventListener("change", settle);
})();
