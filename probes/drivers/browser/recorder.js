// Tells what a person does in a page: which element, in the words a screen reader would use. Never what is in a field
// for secrets, nor in any field of a form that has one.
(() => {
  const SECRET = /passw|passphrase|secret|token|^pin$|one.?time|\bcode\b/i;
  const ROLES = {A: 'link', BUTTON: 'button', SELECT: 'combobox', TEXTAREA: 'textbox', SUMMARY: 'button'};
  const TYPES = {submit: 'button', button: 'button', image: 'button', reset: 'button', checkbox: 'checkbox',
                 radio: 'radio', range: 'slider', search: 'searchbox', number: 'spinbutton'};
  const CLICKED = 'a[href], button, summary, [role], input[type=submit], input[type=button], input[type=image], ' +
                  'input[type=checkbox], input[type=radio]';
  const words = text => (text || '').replace(/\s+/g, ' ').trim();
  let entered = 0;

  function role(element) {
    return element.getAttribute('role') ||
      (element.tagName === 'INPUT' ? TYPES[element.type] || 'textbox' : ROLES[element.tagName]) || null;
  }
  function label(element) {
    const by = element.getAttribute('aria-labelledby');
    if (by) return words(by.split(' ').map(id => document.getElementById(id)?.innerText).join(' '));
    if (element.getAttribute('aria-label')) return words(element.getAttribute('aria-label'));
    const own = element.labels?.[0]?.cloneNode(true);
    own?.querySelectorAll('input, select, textarea, button').forEach(part => part.remove());
    return words(own?.textContent);
  }
  function name(element) {
    const button = element.tagName === 'INPUT' && role(element) === 'button';
    return label(element) || words(button ? element.value : element.innerText) || words(element.placeholder) ||
      words(element.querySelector('img')?.alt) || words(element.title);
  }
  function described(element) {
    const own = {role: role(element), name: name(element), label: label(element)};
    const alike = [...document.querySelectorAll(element.tagName)]
      .filter(other => role(other) === own.role).map(name);
    own.similar = alike.filter(other => other.toLowerCase().includes(own.name.toLowerCase())).length;
    own.identical = alike.filter(other => other === own.name).length;
    own.test_id = element.getAttribute('data-testid');
    return own;
  }
  const secret = field => field.type === 'password' || SECRET.test(label(field) + ' ' + field.name) ||
    field.autocomplete === 'one-time-code';
  const signsIn = field => field.form?.querySelector('input[type=password]') != null;

  function tell(kind, element, more = {}) {
    window.whichlayerRecord({kind, ...described(element), url: location.href,
      heading: words(document.querySelector('h1')?.innerText),
      frame: window === window.top ? null : window.frameElement?.title || window.name || null, ...more});
  }
  const told = new WeakMap();  // Enter tells what was typed, and the change after it is the same
  function filled(field) {
    if (told.get(field) === field.value) return;
    told.set(field, field.value);
    if (field.tagName === 'SELECT') tell('select', field, {value: words(field.selectedOptions[0]?.innerText)});
    else if (field.autocomplete === 'one-time-code') tell('totp', field);
    else if (secret(field)) tell('secret', field, {meaning: 'password'});
    else if (signsIn(field)) tell('secret', field, {meaning: 'username'});
    else tell('fill', field, {value: field.value});
  }
  const takesText = field => field.matches?.('input, textarea, select') &&
    !['checkbox', 'radio', 'submit', 'button', 'image', 'file', 'hidden'].includes(field.type);

  document.addEventListener('change', event => { if (takesText(event.target)) filled(event.target); }, true);
  document.addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.target.matches?.('input') && takesText(event.target)) {
      entered = performance.now();
      filled(event.target);
      tell('press', event.target, {value: 'Enter'});
    }
  }, true);
  document.addEventListener('click', event => {
    const implied = event.detail === 0 && performance.now() - entered < 500;  // Enter clicks a form's button
    const clicked = event.target.closest?.(CLICKED);
    if (clicked && !implied) tell('click', clicked);
  }, true);
})();
