"use strict";
/* What Forecourt adds to the admin theme: the builder of filters, actions by POST, and comforts of the export page. */

(() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  };

  const option = (value, label, chosen) => make("option", { value, selected: value === chosen }, label);

  /* One row of the builder: field, operator, value, and the hidden input that the filter form submits. */
  class Condition {
    constructor(builder, row) {
      this.builder = builder;
      this.hidden = make("input", { type: "hidden", name: "f" });
      this.fieldSelect = make("select", { "aria-label": "Field" }, option("", "Choose a field…", row.field));
      for (const [group, fields] of builder.groups) {
        const options = fields.map((field) => option(field.key, group ? `${group}: ${field.label}` : field.label, row.field));
        this.fieldSelect.append(...(group ? [make("optgroup", { label: group }, ...options)] : options));
      }
      this.operatorSelect = make("select", { "aria-label": "Condition" });
      this.values = make("div");
      const remove = make("button", { type: "button", class: "staff-condition-remove", "aria-label": "Remove this condition" });
      remove.append(make("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, "close"));
      remove.addEventListener("click", () => this.element.remove());
      const field = make("div", { class: "staff-condition-field" }, this.fieldSelect);
      this.element = make("div", { class: "staff-condition" }, field, remove, this.operatorSelect, this.values, this.hidden);
      this.fieldSelect.addEventListener("change", () => this.showOperators("", "", ""));
      this.operatorSelect.addEventListener("change", () => this.showValues("", ""));
      this.element.addEventListener("input", () => this.encode());
      this.element.addEventListener("change", () => this.encode());
      this.showOperators(row.operator, row.value, row.label);
    }

    get field() {
      return this.builder.fields.get(this.fieldSelect.value);
    }

    showOperators(operator, value, label) {
      const operators = this.field ? this.field.operators : [];
      this.operatorSelect.replaceChildren(...operators.map(([code, words]) => option(code, words, operator)));
      this.operatorSelect.hidden = !this.field;
      this.showValues(value, label);
    }

    showValues(value, label) {
      this.values.replaceChildren();
      this.values.className = "";
      this.read = () => "";
      const operator = this.operatorSelect.value;
      if (this.field && operator && operator !== "empty" && operator !== "filled") {
        const kind = this.field.kind;
        if (operator === "between") this.showEnds(kind === "number" ? "number" : "date", value);
        else if (kind === "choice") this.showChoices(value);
        else if (kind === "boolean") this.showYesNo(value);
        else if (kind === "relation") this.showSearch(value, label);
        else this.showInput(kind === "number" || operator === "last" ? "number" : "text", value);
      }
      this.encode();
    }

    showInput(type, value) {
      const input = make("input", { type, value, step: "any", "aria-label": "Value" });
      this.values.append(input);
      this.read = () => input.value.trim();
    }

    showEnds(type, value) {
      const ends = value.split("..");
      const inputs = ["From", "To"].map((words, index) => {
        const input = make("input", { type, step: "any", value: ends[index] || "" });
        this.values.append(make("label", {}, make("span", {}, words), input));
        return input;
      });
      this.values.className = `staff-condition-ends${type === "date" ? " staff-dates" : ""}`;
      this.read = () => (inputs.some((input) => input.value) ? inputs.map((input) => input.value).join("..") : "");
    }

    showChoices(value) {
      const chosen = value.split(",");
      const boxes = this.field.choices.map(([code, words]) => {
        const box = make("input", { type: "checkbox", value: code, checked: chosen.includes(code) });
        this.values.append(make("label", {}, box, words));
        return box;
      });
      this.values.className = "staff-condition-choices";
      this.read = () => boxes.filter((box) => box.checked).map((box) => box.value).join(",");
    }

    showYesNo(value) {
      const select = make("select", { "aria-label": "Value" }, option("yes", "yes", value), option("no", "no", value));
      this.values.append(select);
      this.read = () => select.value;
    }

    showSearch(value, label) {
      const select = make("select", { "aria-label": "Value" }, make("option", { value: "" }));
      if (value) select.append(option(value, label || value, value));
      this.values.append(select);
      const [app_label, model_name, field_name] = this.field.source;
      const search = window.django.jQuery(select);
      search.select2({
        theme: "admin-autocomplete",
        width: "100%",
        placeholder: "Search…",
        allowClear: true,
        ajax: {
          url: this.builder.autocomplete,
          delay: 250,
          cache: true,
          data: ({ term, page }) => ({ term, page, app_label, model_name, field_name }),
        },
      });
      search.on("change", () => this.encode());
      this.read = () => select.value;
    }

    encode() {
      const operator = this.operatorSelect.value;
      const value = this.read();
      const complete = this.field && (operator === "empty" || operator === "filled" || value);
      this.hidden.value = complete ? `${this.field.key}:${operator}${value ? `:${value}` : ""}` : "";
    }
  }

  const startConditions = (section) => {
    const stored = (id) => JSON.parse(document.getElementById(id).textContent);
    const catalogue = stored("staff-catalogue");
    const groups = new Map();
    for (const field of catalogue) groups.set(field.group, [...(groups.get(field.group) || []), field]);
    const builder = {
      groups,
      fields: new Map(catalogue.map((field) => [field.key, field])),
      autocomplete: section.dataset.autocomplete,
    };
    const rows = section.querySelector("[data-staff-rows]");
    const add = (row) => {
      const condition = new Condition(builder, row);
      rows.append(condition.element);
      return condition;
    };
    stored("staff-condition-rows").forEach(add);
    section.querySelector("[data-staff-add]").addEventListener("click", () => {
      const condition = add({ field: "", operator: "", value: "", label: "" });
      condition.element.scrollIntoView({ block: "center" });
      condition.fieldSelect.focus();
    });
    // A new filter starts on the first page: the page that was open may not exist any more.
    section.closest("form")?.querySelectorAll("input[type=hidden][name=p]").forEach((input) => input.remove());
  };

  const startExport = (form) => {
    const tick = (button, checked) => {
      button.closest("fieldset").querySelectorAll("input[type=checkbox]").forEach((box) => (box.checked = checked));
    };
    form.querySelectorAll("[data-staff-all]").forEach((button) => button.addEventListener("click", () => tick(button, true)));
    form.querySelectorAll("[data-staff-none]").forEach((button) => button.addEventListener("click", () => tick(button, false)));
    // A download leaves the page where it is, so the address takes the picked columns along for a bookmark.
    form.addEventListener("submit", () => {
      const picked = new URLSearchParams(new FormData(form));
      window.setTimeout(() => {
        picked.delete("format");
        window.history.replaceState(null, "", `?${picked}`);
      }, 500);
    });
  };

  const startPostLinks = () => {
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-staff-post]");
      if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
      const token = document.querySelector("input[name=csrfmiddlewaretoken]");
      if (!token) return;
      event.preventDefault();
      const form = make("form", { method: "post", action: link.href, hidden: true });
      form.append(make("input", { type: "hidden", name: "csrfmiddlewaretoken", value: token.value }));
      document.body.append(form);
      form.submit();
    });
  };

  /* The theme leaves the menu beside a relation open above what comes after its entry, such as a closed popup. */
  const startRelatedMenus = () => {
    document.addEventListener("click", (event) => {
      const menu = event.target.closest(".related-widget-wrapper-link")?.closest("nav");
      menu?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    });
  };

  /* On a telephone each cell has its heading before it; some of them are names of fields, in small letters. */
  const startLabels = () => {
    document.querySelectorAll("#result_list td[data-label]").forEach((cell) => {
      cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    startLabels();
    document.querySelectorAll("[data-staff-conditions]").forEach(startConditions);
    document.querySelectorAll("[data-staff-export]").forEach(startExport);
    startPostLinks();
    startRelatedMenus();
  });
})();
