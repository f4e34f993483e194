/// The rules of a sound image, and what checks them on a sealed one.
package enum Verify {}
