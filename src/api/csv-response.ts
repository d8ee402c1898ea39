/** A response whose body is a CSV file that browsers save. */
export class CsvResponse {
  constructor(
    readonly text: string,
    /** The name of the file: letters, digits, hyphens and dots. */
    readonly filename: string,
  ) {}
}
