/// Documents about an image: its software bill of materials and its provenance.
package enum Records {}
