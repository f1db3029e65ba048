/** Trains heads off the page's thread. */
import { expose } from 'comlink';
import { crossValidate, foldCount } from './cross-validation';
import { type Examples, type LinearHead, trainHead } from './logistic-regression';

export interface Trained {
  head: LinearHead;
  /** 0 where a class has too few examples for cross-validation; `predicted` is empty then. */
  folds: number;
  predicted: number[];
}

const trainer = {
  /** `onProgress` hears which share of the heads, those of cross-validation and the one for use, is trained. */
  train(examples: Examples, onProgress: (share: number) => void): Trained {
    const folds = foldCount(examples.targets, examples.classes);
    const predicted = folds ? crossValidate(examples, folds, (done) => onProgress(done / (folds + 1))) : [];
    return { head: trainHead(examples), folds, predicted };
  },
};

export type Trainer = typeof trainer;

expose(trainer);
