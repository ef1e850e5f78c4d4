// Formulas arrive as \( … \) and \[ … \]; KaTeX draws them on every page, also after instant navigation.
function drawFormulas() {
  renderMathInElement(document.body, {
    delimiters: [
      { left: "\\(", right: "\\)", display: false },
      { left: "\\[", right: "\\]", display: true },
    ],
  });
}
document.addEventListener("DOMContentLoaded", drawFormulas);
