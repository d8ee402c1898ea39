/** An answer that is a document, not a record: TwiML. */
export class XmlResponse {
  constructor(
    readonly document: string,
    /** Where the record is that was made. */
    readonly location: string,
  ) {}
}
