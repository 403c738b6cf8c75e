//! A page of tables, plots and small pictures; and the same tables as text.

use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

pub(super) struct Page {
    title: String,
    blocks: Vec<Block>,
}

enum Block {
    Lines(Vec<String>),
    Table {
        caption: String,
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    /// Ready-made SVG.
    Plot(String),
    Pictures {
        caption: String,
        pictures: Vec<Captioned>,
    },
}

/// Pictures that belong together, as `data:` addresses, and what is said of them.
pub(super) struct Captioned {
    pub(super) pictures: Vec<String>,
    pub(super) caption: String,
}

impl Page {
    pub(super) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), blocks: Vec::new() }
    }

    pub(super) fn lines(&mut self, lines: impl IntoIterator<Item = String>) {
        self.blocks.push(Block::Lines(lines.into_iter().collect()));
    }

    pub(super) fn table(&mut self, caption: &str, head: &[&str], rows: Vec<Vec<String>>) {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        self.blocks.push(Block::Table { caption: caption.to_owned(), head, rows });
    }

    pub(super) fn plot(&mut self, svg: String) {
        self.blocks.push(Block::Plot(svg));
    }

    pub(super) fn pictures(&mut self, caption: &str, pictures: Vec<Captioned>) {
        self.blocks.push(Block::Pictures { caption: caption.to_owned(), pictures });
    }

    pub(super) fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>{STYLE}</style>\n<h1>{title}</h1>\n"
        );
        self.blocks.iter().for_each(|block| block.html(&mut html));
        html
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for block in &self.blocks {
            match block {
                Block::Lines(lines) => {
                    for line in lines {
                        write_line(&mut text, line);
                    }
                }
                Block::Table { caption, head, rows } => {
                    write_line(&mut text, &format!("\n{caption}"));
                    for line in aligned(head, rows) {
                        write_line(&mut text, &line);
                    }
                }
                Block::Plot(_) | Block::Pictures { .. } => {}
            }
        }
        text
    }
}

impl Block {
    fn html(&self, html: &mut String) {
        match self {
            Self::Lines(lines) => {
                for line in lines {
                    write_line(html, &format!("<p>{}</p>", escaped(line)));
                }
            }
            Self::Table { caption, head, rows } => {
                let row = |tag: &str, cells: &[String]| {
                    let cells = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)));
                    format!("<tr>{}</tr>", cells.collect::<String>())
                };
                let body: String = rows.iter().map(|cells| row("td", cells)).collect();
                let caption = escaped(caption);
                write_line(html, &format!("<h2>{caption}</h2><table>{}{body}</table>", row("th", head)));
            }
            Self::Plot(svg) => write_line(html, svg),
            Self::Pictures { caption, pictures } => {
                write_line(html, &format!("<h2>{}</h2><div class=\"gallery\">", escaped(caption)));
                for Captioned { pictures, caption } in pictures {
                    let images = pictures.iter().map(|data| format!("<img alt=\"\" src=\"{data}\">"));
                    let images: String = images.collect();
                    write_line(
                        html,
                        &format!("<figure>{images}<figcaption>{}</figcaption></figure>", escaped(caption)),
                    );
                }
                write_line(html, "</div>");
            }
        }
    }
}

fn aligned(head: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(head.get(column));
        cells.map(String::len).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        format!("    {}", cells.collect::<String>()).trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(row));
    [line(head)].into_iter().chain(rows).collect()
}

fn write_line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}

/// Paths and columns' values are anybody's words.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_on_the_page_is_no_markup() {
        let mut page = Page::new("a & b");
        page.table("<script>", &["x"], vec![vec!["\"<b>\"".to_owned()]]);
        let html = page.html();
        assert!(
            html.contains("<h1>a &amp; b</h1>") && html.contains("<td>&quot;&lt;b&gt;&quot;</td>"),
            "{html}"
        );
        assert!(!html.contains("<script>"));
    }

    #[test]
    fn tables_are_aligned_as_text() {
        let mut page = Page::new("title");
        page.table("rates", &["name", "rate"], vec![vec!["longer name".to_owned(), "1 %".to_owned()]]);
        assert_eq!(page.text(), "title\n\nrates\n    name         rate\n    longer name  1 %\n");
    }
}
