import { describe, expect, it } from 'vitest';
import type { Task } from '../../api/types';
import { readSpec } from '../fixtures/golden';
import { readModernBert } from '../fixtures/modernbert';
import { taskOf } from './tasks';

describe('taskOf', () => {
  const of = (architectures: string[], tensors: string[], asked?: Task, id2label?: object) => {
    const { family, config } = readModernBert({
      ...readSpec('tiny-mlm').config,
      model_type: 'modernbert',
      architectures,
      id2label,
    });
    return taskOf(config, family, new Set(tensors), asked);
  };

  it('goes by the class name', () => {
    const head = ['head.dense.weight'];
    expect(of(['ModernBertForMaskedLM'], head)).toBe('mlm');
    expect(of(['ModernBertForSequenceClassification'], head)).toBe('seqcls');
    expect(of(['ModernBertForTokenClassification'], head)).toBe('tokcls');
    expect(of(['ModernBertForQuestionAnswering'], head)).toBe('qa');
    expect(of(['ModernBertModel'], [])).toBe('encoder');
  });

  it('takes a masked LM whose head was left out for an encoder', () => {
    expect(of(['ModernBertForMaskedLM'], [])).toBe('encoder');
  });

  it('goes by the tensors where there is no class name', () => {
    expect(of([], [])).toBe('encoder');
    expect(of([], ['qa_outputs.weight'])).toBe('qa');
    expect(of([], ['head.dense.weight'])).toBe('mlm');
    expect(of([], ['head.dense.weight', 'classifier.weight'], undefined, { 0: 'a' })).toBe('seqcls');
    expect(of([], ['head.dense.weight', 'classifier.weight'])).toBe('tokcls');
  });

  it('goes by the tensors of a class for pretraining, which has several heads or one that no call has', () => {
    expect(of(['ModernBertForPreTraining'], ['head.dense.weight'])).toBe('mlm');
    expect(of(['ElectraForPreTraining'], ['discriminator_predictions.dense.weight'])).toBe('encoder');
  });

  it('is what the caller asks for', () =>
    expect(of(['ModernBertForMaskedLM'], ['head.dense.weight'], 'encoder')).toBe('encoder'));

  it('refuses a task that it does not know', () => {
    expect(() => of(['ModernBertModel'], [], 'ner' as Task)).toThrow(
      new RangeError("task must be one of mlm, seqcls, tokcls, qa, encoder; it is 'ner'."),
    );
  });

  it('refuses a class that it does not know', () => {
    expect(() => of(['ModernBertForMultipleChoice'], [])).toThrow(/architectures = "ModernBertForMultipleChoice"/);
  });
});
