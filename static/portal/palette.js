// The command palette: Ctrl+K or Cmd+K, a few letters, Enter. Everything in it is also a link somewhere.
(() => {
  const dialog = document.getElementById("hv-palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  let latest = 0;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) { input.removeAttribute("aria-activedescendant"); return; }
    option.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  // Answers may overtake each other: only the last question's counts.
  async function ask() {
    const number = ++latest;
    const address = `${dialog.dataset.hvPalette}?${new URLSearchParams({ q: input.value })}`;
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      const text = await answer.text();
      if (number !== latest || !answer.ok) return;
      list.innerHTML = text;
      choose(options()[0]);
    } catch {
      list.replaceChildren();
    }
  }

  function open() {
    if (dialog.open) { dialog.close(); return; }
    document.querySelectorAll("dialog[open]").forEach((other) => other.close());
    input.value = "";
    list.replaceChildren();  // what the last question found answers no other
    dialog.showModal();
    ask();
  }

  let wait = 0;
  input.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => { wait = 0; ask(); }, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options();
    const place = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (all.length) choose(all[(place + step + all.length) % all.length]);
    } else if (event.key === "Enter" && (wait || all[place])) {
      event.preventDefault();
      if (!wait) return all[place].click();
      clearTimeout(wait);  // typed on since the list was asked for: what it shows is not what is meant
      wait = 0;
      ask().then(() => chosen()?.click());
    }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.querySelectorAll("[data-hv-open-palette]").forEach((button) => button.addEventListener("click", open));
})();
