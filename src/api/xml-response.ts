/** A response whose body is an XML document, such as TwiML. */
export class XmlResponse {
  constructor(
    readonly document: string,
    /** The path of the record that was created. */
    readonly location: string,
  ) {}
}
