// What pages gain with a script. Every page works without: links and forms come first.
(() => {
  const words = document.body.dataset;
  const announcer = document.getElementById("hv-announcer");
  const announce = (text) => {
    announcer.textContent = "";
    setTimeout(() => { announcer.textContent = text; }, 50);
  };

  // The clipboard needs a secure address; elsewhere the old command still copies.
  async function copy(text, near) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    near.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("refused");
  }

  // What a button copies; one that names nothing copies the line, or the digest, beside it.
  function textOf(button) {
    const beside = button.parentElement.querySelector("code, [title]:not(button)");
    return button.dataset.hvCopy || beside.title || beside.textContent;
  }

  async function onCopy(button) {
    try {
      await copy(textOf(button), button.parentElement);
    } catch {
      announce(words.hvNotCopied);
      return;
    }
    announce(words.hvCopied);
    button.focus();
    if (button.dataset.hvBusy) return;
    button.dataset.hvBusy = "1";
    const use = button.querySelector("use");
    const before = use?.getAttribute("href");
    use?.setAttribute("href", before.replace(/#.*/, "#check"));
    setTimeout(() => { use?.setAttribute("href", before); delete button.dataset.hvBusy; }, 1600);
  }

  function onDownload(button) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([button.dataset.hvDownload], { type: "application/json" }));
    link.download = button.dataset.hvFile;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  function closeMenus(except) {
    document.querySelectorAll("details.hv-menu[open]").forEach((menu) => {
      if (menu !== except && !menu.contains(except)) menu.open = false;
    });
  }

  // Only who points at a button needs to read what it copies.
  document.addEventListener("pointerover", (event) => {
    const button = event.target.closest("[data-hv-copy]:not([title])");
    if (button) button.title = words.hvCopies.replace("{line}", () => textOf(button));
  });

  // A question opens in the dialog; without htmx its link leads to a page.
  function onAsk(event, link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) return;
    event.preventDefault();
    htmx.ajax("GET", link.href, { target: "#hv-dialog" });
  }

  document.addEventListener("click", (event) => {
    const question = event.target.closest("a[data-hv-ask]");
    if (question) onAsk(event, question);
    const copyButton = event.target.closest("[data-hv-copy]");
    if (copyButton) onCopy(copyButton);
    const downloadButton = event.target.closest("[data-hv-download]");
    if (downloadButton) onDownload(downloadButton);
    const closer = event.target.closest("[data-hv-close]");
    if (closer) {
      const dialog = closer.closest("dialog");
      if (dialog) { event.preventDefault(); dialog.close(); } else closer.closest(".hv-toast")?.remove();
    }
    closeMenus(event.target);
  });

  const typing = (node) => node.closest("input, textarea, select, [contenteditable]");
  const searchBox = () => [...document.querySelectorAll("[data-hv-search]")].find((box) => box.offsetParent);

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      const box = searchBox();
      if (box) { event.preventDefault(); box.focus(); box.select(); }
      return;
    }
    const menu = event.target.closest("details.hv-menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...menu.querySelectorAll("summary, .hv-menu-item")];
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
      event.preventDefault();
      next.focus();
    }
  });

  // A form that was sent is not sent twice; the back button finds it usable again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.hvSent) { event.preventDefault(); return; }
    form.dataset.hvSent = "1";
    form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-disabled", "true"));
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-hv-sent]").forEach((form) => {
      delete form.dataset.hvSent;
      form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });

  // A fragment that arrives in the dialog opens it; the dialog gives the focus back when it closes.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "hv-dialog") event.target.showModal();
  });
  document.addEventListener("htmx:responseError", () => announce(words.hvFailed));
  document.addEventListener("htmx:sendError", () => announce(words.hvFailed));

  // Sideways only: a page shall open at its beginning.
  document.querySelectorAll(".hv-tabs [aria-current]").forEach((tab) => {
    const tabs = tab.closest(".hv-tabs");
    tabs.scrollLeft = tab.offsetLeft + tab.offsetWidth - tabs.offsetLeft - tabs.clientWidth + 16;
  });

  // Toasts are in the page already; saying them again makes a screen reader speak.
  const toasts = [...document.querySelectorAll(".hv-toast p")].map((toast) => toast.textContent.trim());
  if (toasts.length) announce(toasts.join(" "));
  document.querySelectorAll(".hv-toast:not(.hv-toast-error)").forEach((toast) => setTimeout(() => toast.remove(), 8000));
})();
