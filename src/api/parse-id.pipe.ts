import { Injectable, type PipeTransform } from '@nestjs/common';
import { NotFoundError } from '../errors/errors.js';

/** Parses the id in a path. A value that is not a positive safe integer is the id of no record: 404. */
@Injectable()
export class ParseIdPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    const id = /^[1-9]\d*$/.test(value) ? Number(value) : NaN;
    if (!Number.isSafeInteger(id)) throw new NotFoundError();
    return id;
  }
}
