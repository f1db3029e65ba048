// The result as a picture to share, 1200 × 630 pixels: the size that previews of links have.
import { type BarRow, sharesOf } from './bar-list';
import { type BenchmarkReport, besideOthers, factsOf, headlineOf, raceRows, raceSentences } from './report';

const WIDTH = 1200;
const HEIGHT = 630;
const MARGIN = 64;
const BAR_LEFT = 520;
const BAR_RIGHT = 940;
/** Of the headline: the first at which it takes two lines. */
const SIZES = [58, 50, 42];

/** What a card says, without how it looks. */
export interface Card {
  headline: string;
  facts: string[];
  /** What the bars are. */
  caption: string;
  bars: BarRow[];
  scale: 'linear' | 'log';
  /** Who measured what, where and when. */
  foot: string[];
}

/** The race's bars if there was one, otherwise those beside other devices. */
export function cardOf(report: BenchmarkReport): Card {
  const { measured, race, ran, runtime, date, version, commit } = report;
  const sentences = race ? raceSentences(race.results, ran) : [];
  const [headline, ...rest] = measured
    ? [headlineOf(measured, ran, 'This'), ...factsOf(measured).slice(0, 1), ...sentences]
    : sentences;
  return {
    headline: headline ?? 'The race ended without a result.',
    facts: rest,
    bars: race ? raceRows(race.results) : measured ? besideOthers({ measured, ran }) : [],
    caption: race ? 'The same texts in the same tab' : 'Beside other devices, on a scale of powers of ten',
    scale: race ? 'linear' : 'log',
    foot: [
      `${ran.adapter}${ran.isSoftware ? ' (no GPU)' : ''} · ${runtime.replace('/', ' ')}`,
      `modernbert-webgpu ${version} (${commit.slice(0, 7)}) · ${ran.model} · ${date.slice(0, 10)}`,
    ],
  };
}

/** Draws a card in the page's colours. Rejects where the browser makes no picture. */
export function drawCard(card: Card, page: HTMLElement): Promise<Blob> {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext('2d');
  if (!context) return Promise.reject(new Error('The browser gives no canvas to draw on.'));
  const style = getComputedStyle(page);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const write = (
    text: string,
    x: number,
    y: number,
    size: number,
    fill: string,
    { weight = 400, most = WIDTH - 2 * MARGIN } = {},
  ) => {
    context.font = `${weight} ${size}px ${style.fontFamily}`;
    context.fillStyle = colour(fill);
    context.fillText(
      shortened(text, most, (part) => context.measureText(part).width),
      x,
      y,
    );
  };

  context.fillStyle = colour('surface');
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = colour('tape');
  context.fillRect(0, 0, 16, HEIGHT);

  const widthAt = (size: number, weight: number) => (part: string) => {
    context.font = `${weight} ${size}px ${style.fontFamily}`;
    return context.measureText(part).width;
  };
  const room = WIDTH - 2 * MARGIN;
  const headline = card.headline.replace(/(\d) /g, '$1\u00a0'); // a number and its unit stay together
  const linesAt = (size: number) => wrapped(headline, room, widthAt(size, 650));
  const size = SIZES.find((size) => linesAt(size).length <= 2) ?? SIZES[SIZES.length - 1];
  const lines = linesAt(size).slice(0, 2);
  for (const [i, line] of lines.entries()) write(line, MARGIN, 112 + 66 * i, size, 'ink', { weight: 650 });
  const top = 98 + 66 * lines.length;
  const facts = card.facts.flatMap((fact) => wrapped(fact, room, widthAt(24, 400)));
  for (const [i, fact] of facts.slice(0, card.bars.length > 3 ? 3 : 4).entries())
    write(fact, MARGIN, top + 34 * i, 24, 'quiet');

  const shares = sharesOf(
    card.bars.map(({ value }) => value),
    card.scale,
  );
  const rows = card.bars.slice(0, 4);
  const bottom = HEIGHT - 108 - 42 * rows.length;
  write(card.caption, MARGIN, bottom - 30, 20, 'quiet');
  for (const [i, { label, text, isOwn }] of rows.entries()) {
    const share = shares[i] ?? 0;
    const middle = bottom + 42 * i;
    const end = BAR_LEFT + share * (BAR_RIGHT - BAR_LEFT);
    write(label, MARGIN, middle + 8, 22, 'ink', { weight: isOwn ? 650 : 400, most: BAR_LEFT - MARGIN - 20 });
    context.fillStyle = colour('line');
    context.fillRect(
      BAR_LEFT,
      card.scale === 'log' ? middle - 1 : middle - 11,
      BAR_RIGHT - BAR_LEFT,
      card.scale === 'log' ? 2 : 22,
    );
    context.fillStyle = colour(isOwn ? 'tape' : 'accent');
    context.beginPath();
    if (card.scale === 'log') context.arc(end, middle, 11, 0, 2 * Math.PI);
    else context.rect(BAR_LEFT, middle - 11, end - BAR_LEFT, 22);
    context.fill();
    write(text, BAR_RIGHT + 24, middle + 8, 22, 'ink', { most: WIDTH - BAR_RIGHT - 24 - 16 });
  }
  for (const [i, line] of card.foot.entries()) write(line, MARGIN, HEIGHT - 68 + 34 * i, 23, 'quiet');

  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser made no picture.'))), 'image/png');
  });
}

/** A text in lines of at most `most` pixels, broken between words. */
export function wrapped(text: string, most: number, width: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && width(line) <= most) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

/** A text of at most `most` pixels, its end replaced by … where it is longer. */
export function shortened(text: string, most: number, width: (text: string) => number): string {
  if (width(text) <= most) return text;
  let length = text.length;
  while (length > 0 && width(`${text.slice(0, length)}…`) > most) length--;
  return `${text.slice(0, length).trimEnd()}…`;
}
