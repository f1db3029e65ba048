import { random } from '../cases';

/** Texts with these token counts in one call. `equal`: all of one length, so that the peer needs no padding. */
export interface PeerCase {
  name: string;
  lengths: number[];
  equal: boolean;
}

const SHORTEST = 8;
const LONGEST = 512;

/** Lengths as uneven as those of real documents: log-uniform from 8 to 512, always the same. */
function mixed(count: number): number[] {
  const next = random(32);
  const lengths = Array.from({ length: count }, () => Math.round(SHORTEST * (LONGEST / SHORTEST) ** next()));
  lengths[Math.floor(next() * count)] = LONGEST;
  return lengths;
}

const times = (count: number, length: number): number[] => Array.from({ length: count }, () => length);

export const PEER_CASES: PeerCase[] = [
  { name: 'query-16', lengths: [16], equal: true },
  { name: 'equal-16x128', lengths: times(16, 128), equal: true },
  { name: 'mixed-32', lengths: mixed(32), equal: false },
  { name: 'one-2048', lengths: [2048], equal: true },
  { name: 'one-8192', lengths: [8192], equal: true },
];
