/** A JSON response whose `ETag` depends on a part of the body only, for bodies that contain the current time. */
export class TaggedResponse {
  constructor(
    readonly body: object,
    /** The part of the body that the tag depends on. */
    readonly tagged: object,
  ) {}
}
