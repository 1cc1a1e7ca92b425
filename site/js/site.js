// The gallery works without this file: it adds the theme, the filter, the set switch in place, the card size and the arrow keys.
'use strict';
const root = document.documentElement, $ = (s, e = document) => e.querySelector(s), $$ = (s, e = document) => [...e.querySelectorAll(s)];
const keep = (store, key, value) => { try { if (value == null) store.removeItem(key); else store.setItem(key, value); } catch { /* private window */ } };
const kept = (store, key) => { try { return store.getItem(key); } catch { return null; } };
const typing = e => e.altKey || e.ctrlKey || e.metaKey || e.target.closest('input,select,textarea,[contenteditable]');

// Theme: the system's until the visitor chooses; choosing the system's own again forgets the choice.
{
  const button = $('.theme'), system = matchMedia('(prefers-color-scheme: dark)');
  const dark = () => (root.dataset.theme || (system.matches ? 'dark' : 'light')) === 'dark';
  const label = () => { button.innerHTML = (dark() ? 'Light' : 'Dark') + '<span class="vh"> colours</span>'; };
  button.hidden = false;
  button.onclick = () => {
    const next = dark() ? 'light' : 'dark', same = (next === 'dark') === system.matches;
    if (same) delete root.dataset.theme; else root.dataset.theme = next;
    keep(localStorage, 'theme', same ? null : next);
    label();
  };
  system.onchange = label;
  label();
}

// A set's cards, by number from 0.
const sheets = {};
const sheet = name => sheets[name] ??= fetch(`sets/${name}/all.svg`).then(r => r.ok ? r.text() : Promise.reject(r.status))
  .then(text => [...new DOMParser().parseFromString(text, 'image/svg+xml').documentElement.children].map(card => {
    for (const name of ['x', 'y', 'width', 'height']) card.removeAttribute(name);
    for (const image of $$('image', card)) image.setAttribute('href', `sets/${name}/${image.getAttribute('href')}`);
    return document.importNode(card, true);
  }));
const mark = (links, name) => { for (const a of links) if (a.dataset.set === name) a.setAttribute('aria-current', 'true'); else a.removeAttribute('aria-current'); };

// The index
if ($('#q')) {
  const q = $('#q'), line = $('.found'), all = $('button', line), results = $('.results'), size = $('#size'), switches = $$('.sets [data-set]');
  const groups = $$('.group[data-strokes]'), chips = $$('[data-strokes],[data-family]', $('.tools'));
  const cards = groups.flatMap(group => $$('li', group).map(li => (
    { li, group, strokes: group.dataset.strokes, family: li.dataset.f, words: li.dataset.k.split(' '), home: li.parentNode })));
  cards.forEach((card, i) => { card.number = i + 1; card.svg = $('svg', card.li); });
  const first = switches[0].dataset.set;
  const state = { set: first, q: '', strokes: new Set(), family: new Set() };

  const fold = text => text.normalize('NFKC').toLowerCase().normalize('NFD').replace(/[\u0300-\u036f]/g, '').normalize('NFC')
    .replace(/[\u30a1-\u30f6]/g, c => String.fromCharCode(c.charCodeAt(0) - 96)).replace(/[^\p{L}\p{N}]/gu, '');
  // How far down a card comes for a word: whole words before beginnings, weightier words first; undefined where it is not found.
  const rank = (card, word) => {
    if (/^\d+$/.test(word)) return card.number === +word ? 0 : undefined;
    const whole = card.words.indexOf(word);
    if (whole >= 0) return whole;
    const begun = card.words.findIndex(w => w.startsWith(word));
    return begun >= 0 ? 100 + begun : undefined;
  };
  const score = (card, words) => words.reduce((sum, word) => sum + (rank(card, word) ?? NaN), 0);

  const radicals = count => count === 1 ? '1 radical' : count + ' radicals';
  const chosen = card => (!state.strokes.size || state.strokes.has(card.strokes)) && (!state.family.size || state.family.has(card.family));
  const show = () => {
    const words = state.q.split(/[\s,、・-]+/).map(fold).filter(Boolean), flat = words.length || state.family.size; // one grid, not a group a stroke count
    const scores = new Map(cards.map(card => [card, chosen(card) ? score(card, words) : NaN]));
    const found = cards.filter(card => !isNaN(scores.get(card)));
    for (const card of cards) { card.li.hidden = isNaN(scores.get(card)); if (flat || !results.hidden) card.home.append(card.li); }
    if (flat) $('.cards', results).append(...found.sort((a, b) => scores.get(a) - scores.get(b) || a.number - b.number).map(card => card.li));
    results.hidden = !flat;
    $('.sub', results).textContent = radicals(found.length);
    for (const group of groups) {
      const whole = cards.filter(card => card.group === group), here = whole.filter(card => !card.li.hidden).length;
      group.hidden = flat || !here;
      $('.count', group).textContent = here < whole.length ? `${here} of ${whole.length}` : radicals(here);
    }
    const chips = state.strokes.size + state.family.size > 0, none = !found.length;
    $('[role=status]', line).textContent = found.length === cards.length ? ''
      : none ? 'No radical answers to that. Try a meaning, a reading or a number.' : `${found.length} of ${cards.length} radicals.`;
    line.classList.toggle('vh', !chips && !none);
    all.hidden = !chips && !none;
    if (none) results.hidden = true;
  };
  const save = () => {
    const url = new URL(location), put = (key, value) => value ? url.searchParams.set(key, value) : url.searchParams.delete(key);
    put('q', state.q.trim());
    put('set', state.set === first ? '' : state.set);
    for (const key of ['strokes', 'family']) put(key, [...state[key]].join('-'));
    try { history.replaceState(null, '', url); } catch { /* Safari, after a hundred in half a minute */ }
  };
  const swap = async name => {
    try {
      const art = name === first && cards[0].own ? cards.map(card => card.own) : await sheet(name);
      if (state.set !== name) return;
      for (const card of cards) {
        card.own ??= card.svg;
        card.svg.replaceWith(card.svg = art[card.number - 1]);
      }
      mark(switches, name);
      keep(sessionStorage, 'set', name);
    } catch { location.href = `sets/${name}/`; }
    root.classList.remove('late');
  };
  const press = () => { for (const chip of chips) {
    const [key, value] = chip.dataset.family ? ['family', chip.dataset.family] : ['strokes', chip.dataset.strokes];
    chip.setAttribute('aria-pressed', state[key].has(value));
  } };

  for (const chip of chips) {
    const [key, value] = chip.dataset.family ? ['family', chip.dataset.family] : ['strokes', chip.dataset.strokes];
    chip.setAttribute('role', 'button');
    chip.onclick = e => {
      e.preventDefault();
      if (!state[key].delete(value)) state[key].add(value);
      press(); show(); save();
    };
    chip.onkeydown = e => { if (e.key === ' ') { e.preventDefault(); chip.click(); } };
  }
  all.onclick = () => { state.strokes.clear(); state.family.clear(); state.q = q.value = ''; press(); show(); save(); q.focus(); };
  for (const a of switches) a.onclick = e => {
    if (e.metaKey || e.ctrlKey || e.shiftKey) return;
    e.preventDefault();
    state.set = a.dataset.set;
    swap(state.set); save();
  };
  q.oninput = () => { state.q = q.value; show(); save(); };
  q.onkeydown = e => {
    if (e.key === 'Escape' && q.value) { e.preventDefault(); q.value = ''; q.oninput(); }
    else if (e.key === 'Escape') q.blur();
    else if (e.key === 'Enter' && !e.isComposing && q.value) $('.results li:not([hidden]) a')?.click();
  };
  addEventListener('keydown', e => { if (e.key === '/' && !typing(e)) { e.preventDefault(); q.focus(); q.select(); } });
  const usual = () => parseInt(getComputedStyle(root).getPropertyValue('--usual')); // it goes by the window's width
  size.oninput = () => { root.style.setProperty('--card', size.value + 'px'); keep(localStorage, 'card', +size.value === usual() ? null : size.value); };
  (onresize = () => { size.value = kept(localStorage, 'card') || usual(); })();

  // Arrow keys walk over the cards as they lie.
  $('main').addEventListener('keydown', e => {
    const at = e.target.closest('.cards a');
    if (!at || typing(e) || !e.key.startsWith('Arrow')) return;
    const seen = $$('.group:not([hidden]) li:not([hidden]) a'), i = seen.indexOf(at), box = at.getBoundingClientRect();
    const next = { ArrowLeft: () => seen[i - 1], ArrowRight: () => seen[i + 1],
      ArrowUp: () => seen.slice(0, i).findLast(a => a.getBoundingClientRect().bottom <= box.top + 1 && a.getBoundingClientRect().left <= box.left + 1),
      ArrowDown: () => { const below = seen.slice(i).filter(a => a.getBoundingClientRect().top >= box.bottom - 1), row = below[0]?.getBoundingClientRect().top;
        return below.filter(a => a.getBoundingClientRect().top === row && a.getBoundingClientRect().left <= box.left + 1).at(-1); } }[e.key]?.();
    if (next) { e.preventDefault(); next.focus(); }
  });

  const asked = new URLSearchParams(location.search);
  state.q = q.value = asked.get('q') || q.value;
  for (const key of ['strokes', 'family']) state[key] = new Set((asked.get(key) || '').split('-').filter(v => chips.some(c => c.dataset[key] === v)));
  const wanted = asked.get('set');
  press();
  if (state.q || state.strokes.size || state.family.size) show();
  if (wanted && wanted !== first && switches.some(a => a.dataset.set === wanted)) swap(state.set = wanted);
  else { root.classList.remove('late'); keep(sessionStorage, 'set', first); }
}

// A radical's page: the large card in another set.
if ($('#card')) {
  const card = $('#card'), links = $$('.big [data-set]'), show = a => {
    card.src = $('#svg').href = a.href;
    const png = $('#png');
    $('#svg').textContent = /webp$/.test(a.href) ? 'WebP' : 'SVG';
    if (png) { png.hidden = !('png' in a.dataset); png.href = a.href.replace(/\w+$/, 'png'); }
    mark(links, a.dataset.set); keep(sessionStorage, 'set', a.dataset.set);
  };
  for (const a of links) a.onclick = e => { if (!e.metaKey && !e.ctrlKey && !e.shiftKey) { e.preventDefault(); show(a); } };
  const last = links.find(a => a.dataset.set === kept(sessionStorage, 'set'));
  if (last && last !== links[0]) show(last);
}

// Arrow keys turn the page where there is one before and after.
addEventListener('keydown', e => {
  const rel = { ArrowLeft: 'prev', ArrowRight: 'next' }[e.key];
  if (rel && !e.shiftKey && !typing(e) && (e.target === document.body || e.target.id === 'main')) $(`a[rel=${rel}]`)?.click();
});
