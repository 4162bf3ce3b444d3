import { z } from 'zod';
import { fileSink } from './file-sink-schema.ts';
import { httpSink } from './http-sink-schema.ts';

/** A sink. It is told apart by `type`, so that a wrong type is one error and not one for each of its keys. */
export const sinkSchema = z.discriminatedUnion('type', [fileSink, httpSink], {
  error: (issue) =>
    issue.code === 'invalid_union' ? 'expected one of file, http' : 'expected a mapping of keys to values',
});
