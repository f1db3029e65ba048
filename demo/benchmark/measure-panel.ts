// The measurement on the page: the button, the sentence, the device among others.
import { loadModel } from '../../src/index';
import { describeProgress } from '../../src/progress';
import type { App } from '../app';
import { aborted, element, find } from '../dom';
import { createRunButton } from '../run-button';
import { barList } from './bar-list';
import { type Measured, measure } from './measure';
import { measureNotes } from './measure-notes';
import { besideOthers, FACTS_TO_COME, factsOf, headlineOf, headlineToCome, MODEL, type Ran, ranOf } from './report';

/** Seconds that loading and preparing take on a usual device. */
const BEFORE = 8;

/** Wires the measurement; `found` gets what was measured. */
export function startMeasure(
  section: HTMLElement,
  app: App,
  isSoftware: Promise<boolean>,
  found: (measured: Measured, ran: Ran) => void,
): void {
  const form = find<HTMLFormElement>(section, 'form');
  const seconds = find<HTMLInputElement>(section, '#measure-seconds');
  const headline = find(section, '#headline');
  const places = { error: find(form, '.error'), status: find(form, '.status') };

  const readState = () => {
    seconds.value = app.state.get('seconds') ?? seconds.defaultValue;
    find(section, '.seconds').textContent = String(BEFORE + Number(seconds.value));
  };
  seconds.addEventListener('change', () => {
    app.state.set('seconds', seconds.value === seconds.defaultValue ? undefined : seconds.value);
    readState();
  });
  app.state.onChange(readState);
  readState();

  function show(results?: { measured: Measured; ran: Ran }) {
    const { measured, ran } = results ?? {};
    headline.textContent = measured && ran ? headlineOf(measured, ran) : headlineToCome(false);
    section.classList.toggle('is-measured', measured !== undefined);
    const facts = measured ? factsOf(measured) : FACTS_TO_COME;
    find(section, '.facts').replaceChildren(...facts.map((textContent) => element('li', { textContent })));
    find(section, '.reference-bars').replaceChildren(barList(besideOthers(results), 'log'));
    find(section, '.how-text').replaceChildren(...measureNotes(results));
  }
  show();
  void isSoftware.then((isSoftware) => {
    section.classList.toggle('on-cpu', isSoftware);
    if (!section.classList.contains('is-measured')) headline.textContent = headlineToCome(isSoftware);
  });

  createRunButton(form, find(section, '#measure-run'), places, async (signal, progress) => {
    const given = Number(seconds.value);
    if (!seconds.checkValidity() || given === 0) {
      throw new Error(`The seconds of the measurement are “${seconds.value}”: give a whole number from 1 to 300.`);
    }
    const onProgress = describeProgress(({ loaded, total }) =>
      progress.show({ what: `Loading ${MODEL}`, done: loaded, total, unit: 'bytes' }),
    );
    const model = await loadModel(new URL(`models/${MODEL}`, document.baseURI).href, { signal, onProgress });
    try {
      progress.show({ what: 'Preparing the GPU' });
      await Promise.race([model.warm(), aborted(signal)]);
      const measured = await measure(model, {
        seconds: given,
        signal,
        onProgress: (done) => progress.show({ what: 'Measuring', done, total: given }),
      });
      const ran = ranOf(model.info);
      show({ measured, ran });
      found(measured, ran);
      places.status.textContent = '';
    } finally {
      void model.dispose();
    }
  });
}
