"""The lab as a web page: builds a static site in which notebooks, panels and simulator run in the visitor's browser."""
