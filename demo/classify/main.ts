import type { App } from '../app';
import '../drop-zone.css';
import '../switch.css';
import './classify.css';
import { startFewShot } from './few-shot';
import html from './panel.html?raw';
import { startZeroShot } from './zero-shot';

/** The tab that classifies: by examples, with any encoder, or by labels alone, with an NLI model. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const modes = [...panel.querySelectorAll<HTMLInputElement>('input[name=classify-mode]')];
  const show = () => {
    const mode = modes.find(({ checked }) => checked)?.value;
    for (const part of panel.querySelectorAll<HTMLElement>('[data-mode]')) part.hidden = part.dataset.mode !== mode;
  };
  const read = () => {
    for (const radio of modes) radio.checked = radio.value === (app.state.get('by') ?? 'examples');
    show();
  };
  for (const radio of modes) {
    radio.addEventListener('change', () => {
      app.state.set('by', radio.value === 'examples' ? undefined : radio.value);
      show();
    });
  }
  app.state.onChange(read);
  startFewShot(panel, app);
  startZeroShot(panel, app);
  read();
}
