// The measurement on the page: the button, the sentence, the device among others.
import { loadModel } from '../../src/index';
import { describeProgress } from '../../src/progress';
import type { App } from '../app';
import { aborted, element, find } from '../dom';
import { count, plural } from '../numbers';
import { createRunButton } from '../run-button';
import { adapterName } from '../status-line';
import { barList } from './bar-list';
import { type Measured, measure, PAGE_TOKENS, PAGES } from './measure';
import { REFERENCES } from './references';
import { besideOthers, factsOf, headlineOf, type Ran } from './report';

export const MODEL = 'nano-embed';

/** Wires the measurement; `found` gets what was measured. */
export function startMeasure(section: HTMLElement, app: App, found: (measured: Measured, ran: Ran) => void): void {
  const form = find<HTMLFormElement>(section, 'form');
  const seconds = find<HTMLInputElement>(section, '#measure-seconds');
  const headline = find(section, '#headline');
  const status = find(form, '.status');
  const beside = find(section, '.beside');
  headline.textContent = `Your GPU embeds ${plural(PAGES, 'page')} in …`;
  find(section, '.how-text').replaceChildren(...notes());

  const showSeconds = () => {
    seconds.value = app.state.get('seconds') ?? seconds.defaultValue;
    find(section, '.seconds').textContent = String(8 + Number(seconds.value)); // with loading and tuning
  };
  seconds.addEventListener('change', () => {
    app.state.set('seconds', seconds.value === seconds.defaultValue ? undefined : seconds.value);
    showSeconds();
  });
  app.state.onChange(showSeconds);
  showSeconds();

  function show(measured: Measured, ran: Ran) {
    headline.textContent = headlineOf(measured, ran);
    headline.classList.add('is-measured');
    const facts = factsOf(measured, ran).map((textContent) => element('li', { textContent }));
    find(section, '.facts').replaceChildren(...facts);
    find(section, '.reference-bars').replaceChildren(barList(besideOthers(measured, ran), 'log'));
    beside.hidden = false;
    find(section, '.how-text').replaceChildren(...notes({ measured, ran }));
  }

  createRunButton(form, find<HTMLButtonElement>(section, '#measure-run'), { error: find(form, '.error'), status }, async (signal) => {
    if (!seconds.reportValidity()) throw new Error('Give a number of seconds from 1 to 300.');
    const source = new URL(`models/${MODEL}`, document.baseURI).href;
    const onProgress = describeProgress(({ text }) => {
      status.textContent = `Loading ${MODEL}: ${text}`;
    });
    const model = await loadModel(source, { signal, onProgress });
    try {
      status.textContent = 'Preparing the GPU …';
      await Promise.race([model.warm(), aborted(signal)]);
      const given = Number(seconds.value);
      const measured = await measure(model, {
        seconds: given,
        signal,
        onProgress(what, done) {
          status.textContent = `${what}: ${Math.round(done)} of ${plural(given, 'second')}`;
        },
      });
      const { dtype, arithmetic, adapter, profile } = model.info;
      const isSoftware = profile === 'software';
      const ran = { model: MODEL, dtype, arithmetic, adapter: adapterName(adapter), isSoftware };
      show(measured, ran);
      found(measured, ran);
      status.textContent = '';
    } finally {
      void model.dispose();
    }
  });
}

/** How it is measured; with a measurement also its own figures. */
function notes(found?: { measured: Measured; ran: Ran }): HTMLElement[] {
  const { measured, ran } = found ?? {};
  const words = measured ? `${measured.page.words} words` : 'some 420 words';
  const { text, ids, query } = measured ?? {};
  const own = ran && text && ids && query && [
    `Here ${plural(text.pages, 'page')} in one call took ${text.median_ms.toFixed(1)} ms, the median of ${plural(text.runs_ms.length, 'run')}: ${count(Math.round(text.tokens_per_s))} tokens per second. The time of ${plural(PAGES, 'page')} is ${PAGES} / ${text.pages} of that, which assumes that more pages take longer in proportion.`,
    `From token ids it was ${count(Math.round(ids.tokens_per_s))} tokens per second (${plural(ids.runs_ms.length, 'run')}). The query has ${query.tokens} tokens (${plural(query.runs_ms.length, 'run')}). ${ran.model}, weights in ${ran.dtype}, arithmetic in ${ran.arithmetic}, on ${ran.adapter}.`,
  ];
  const files = REFERENCES.map(
    ({ device, arithmetic, file, commit, date, runtime }) =>
      `${device}, ${arithmetic}: bench/results/${file}, ${runtime}, ${date}, commit ${commit}.`,
  );
  return [
    `To embed a text is to turn it into numbers that say what it means. A page is ${PAGE_TOKENS} tokens of English, ${words}. The model is ${MODEL}, of 8 million parameters; larger models take longer in proportion.`,
    ...(own || []),
    'The first run of each kind sets up and counts only where it is the only one. Beside other devices, texts are token ids already, as in the runs that the project keeps; those had a model of the same shape, weights in f16, and documents of the same length:',
  ]
    .map((textContent): HTMLElement => element('p', { textContent }))
    .concat(element('ul', {}, ...files.map((textContent) => element('li', { textContent }))));
}
