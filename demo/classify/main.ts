import type { App } from '../app';
import '../switch.css';
import './classify.css';
import { startFewShot } from './few-shot';
import html from './panel.html?raw';
import { startZeroShot } from './zero-shot';

/** The tab that classifies: by examples, with any encoder, or by labels alone, with an NLI model. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const modes = [...panel.querySelectorAll<HTMLInputElement>('input[name=classify-mode]')];

  function show(mode: string) {
    for (const radio of modes) radio.checked = radio.value === mode;
    for (const part of panel.querySelectorAll<HTMLElement>('[data-mode]')) part.hidden = part.dataset.mode !== mode;
  }
  const readState = () => show(app.state.get('by') === 'labels' ? 'labels' : 'examples');

  for (const radio of modes) {
    radio.addEventListener('change', () => {
      app.state.set('by', radio.value === 'labels' ? 'labels' : undefined);
      show(radio.value);
    });
  }
  app.state.onChange(readState);
  startFewShot(panel, app);
  startZeroShot(panel, app);
  readState();
}
