// npm run bench:bars: every bar in the result files of bench/results.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../tools/bundle.mjs';
import { barTable, columns } from './print';
import type { Bar, Environment } from './report';

const FOLDER = join(ROOT, 'bench/results');

type KeptReport = Partial<Pick<Environment, 'date' | 'commit' | 'adapter'>> & { bars?: Bar[] };

let met = 0;
let missed = 0;
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
  const {
    date = 'no date',
    commit = 'no commit',
    adapter,
    bars,
  } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as KeptReport;
  if (!bars) {
    console.log(`${file}: no bars\n`);
    continue;
  }
  console.log(`${file}: ${adapter}, ${date.slice(0, 10)}, ${commit}\n${columns(barTable(bars))}\n`);
  met += bars.filter((bar) => bar.met === true).length;
  missed += bars.filter((bar) => bar.met === false).length;
}
console.log(`${met} met, ${missed} not met`);
