//! A page of tables, plots and small pictures; and the same tables as text.

use std::fmt::Write as _;

use super::terms;

const STYLE: &str = include_str!("page.css");
/// In place of rows or pictures.
const NONE: &str = "none";

pub(super) struct Page {
    title: String,
    blocks: Vec<Block>,
}

enum Block {
    Lines(Vec<String>),
    /// Said on the standard error too.
    Warning(String),
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

/// Pictures that belong together, and what is said of them.
pub(super) struct Captioned {
    pub(super) pictures: Vec<Picture>,
    pub(super) caption: String,
}

/// A `data:` address, and what stands for it where it can't be seen.
pub(in super::super) struct Picture {
    pub(in super::super) data: String,
    pub(in super::super) name: String,
}

impl Page {
    pub(super) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), blocks: Vec::new() }
    }

    pub(super) fn lines(&mut self, lines: impl IntoIterator<Item = String>) {
        self.blocks.push(Block::Lines(lines.into_iter().collect()));
    }

    pub(super) fn warning(&mut self, line: String) {
        self.blocks.push(Block::Warning(line));
    }

    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Warning(line) => Some(line.as_str()),
            _ => None,
        })
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
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\n\
             <style>{STYLE}</style>\n<h1>{title}</h1>\n"
        );
        self.blocks.iter().for_each(|block| block.html(&mut html));
        let words = self.text() + &self.plots();
        let mut terms = terms::used(&words).peekable();
        if terms.peek().is_some() {
            write_line(&mut html, "<dl>");
            for (term, meaning) in terms {
                write_line(&mut html, &format!("<dt>{term}</dt><dd>{meaning}</dd>"));
            }
            write_line(&mut html, "</dl>");
        }
        html
    }

    fn plots(&self) -> String {
        let plots = self.blocks.iter().filter_map(|block| match block {
            Block::Plot(svg) => Some(svg.as_str()),
            _ => None,
        });
        plots.collect()
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
                Block::Warning(_) | Block::Plot(_) | Block::Pictures { .. } => {}
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
            Self::Warning(line) => write_line(html, &format!("<p class=\"warning\">{}</p>", escaped(line))),
            Self::Table { caption, head, rows } => {
                write_line(html, &format!("<h2>{}</h2>", escaped(caption)));
                write_line(html, &table(head, rows));
            }
            Self::Plot(svg) => html.push_str(svg),
            Self::Pictures { caption, pictures } => {
                write_line(html, &format!("<h2>{}</h2><div class=\"gallery\">", escaped(caption)));
                for shown in pictures {
                    write_line(html, &shown.html());
                }
                if pictures.is_empty() {
                    write_line(html, &format!("<p>{NONE}</p>"));
                }
                write_line(html, "</div>");
            }
        }
    }
}

impl Captioned {
    fn html(&self) -> String {
        let image =
            |Picture { data, name }: &Picture| format!("<img alt=\"{}\" src=\"{data}\">", escaped(name));
        let images: String = self.pictures.iter().map(image).collect();
        let class = if self.pictures.len() > 1 { "several" } else { "single" };
        let caption = breakable(&self.caption);
        format!("<figure class=\"{class}\">{images}<figcaption>{caption}</figcaption></figure>")
    }
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return format!("<p>{NONE}</p>");
    }
    let classes = numbers(head, rows).into_iter().map(|is| if is { " class=\"number\"" } else { "" });
    let classes: Vec<_> = classes.collect();
    let row = |tag: &str, cells: &[String]| {
        let cells = cells.iter().zip(&classes);
        let cells = cells.map(|(cell, class)| format!("<{tag}{class}>{}</{tag}>", breakable(cell)));
        format!("<tr>{}</tr>", cells.collect::<String>())
    };
    let body: String = rows.iter().map(|cells| row("td", cells)).collect();
    format!("<div class=\"wide\"><table>{}{body}</table></div>", row("th", head))
}

fn aligned(head: &[String], rows: &[Vec<String>]) -> Vec<String> {
    if rows.is_empty() {
        return vec![format!("    {NONE}")];
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(head.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns: Vec<_> = (0..head.len()).map(width).zip(numbers(head, rows)).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&columns).map(|(cell, (width, is_number))| {
            if *is_number { format!("{cell:>width$}  ") } else { format!("{cell:width$}  ") }
        });
        format!("    {}", cells.collect::<String>()).trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(row));
    [line(head)].into_iter().chain(rows).collect()
}

/// Columns of numbers, which are read from the right; the first names its row, whatever is in it.
fn numbers(head: &[String], rows: &[Vec<String>]) -> Vec<bool> {
    let is_number = |cell: &String| {
        cell.is_empty()
            || ["-", NONE].contains(&cell.as_str())
            || cell.trim_start_matches(['-', '+']).starts_with(|first: char| first.is_ascii_digit())
    };
    let all = |column: usize| rows.iter().filter_map(|row| row.get(column)).all(is_number);
    (0..head.len()).map(|column| column > 0 && all(column)).collect()
}

fn write_line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}

/// Paths and columns' values are anybody's words.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Paths may break behind a slash.
fn breakable(text: &str) -> String {
    escaped(text).replace('/', "/<wbr>")
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
    fn numbers_are_aligned_on_the_right_and_names_on_the_left() {
        let mut page = Page::new("title");
        let rows = [["longer name", "1 %"], ["7", "-"]].map(|row| row.map(str::to_owned).to_vec()).to_vec();
        page.table("rates", &["name", "rate"], rows);
        assert_eq!(
            page.text(),
            "title\n\nrates\n    name         rate\n    longer name   1 %\n    7               -\n"
        );
        assert!(page.html().contains("<td>7</td><td class=\"number\">-</td>"));
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let mut page = Page::new("title");
        page.table("errors", &["name"], Vec::new());
        page.pictures("the worst", Vec::new());
        assert_eq!(page.text(), "title\n\nerrors\n    none\n");
        assert_eq!(page.html().matches("<p>none</p>").count(), 2);
    }

    #[test]
    fn abbreviations_are_explained_where_they_are_used() {
        let mut page = Page::new("title");
        page.table("FMR", &["name"], Vec::new());
        let html = page.html();
        assert!(html.contains("<dt>FMR</dt>") && !html.contains("<dt>APCER</dt>"), "{html}");
    }

    #[test]
    fn a_path_may_break_at_its_slashes_and_a_picture_has_words() {
        let mut page = Page::new("title");
        let picture = Picture { data: "data:image/jpeg;base64,AA".to_owned(), name: "a/b.jpg".to_owned() };
        page.pictures(
            "worst",
            vec![Captioned { pictures: vec![picture], caption: "0.9: a/b.jpg".to_owned() }],
        );
        let html = page.html();
        assert!(html.contains("alt=\"a/b.jpg\" src=\"data:image/jpeg;base64,AA\""), "{html}");
        assert!(html.contains("<figcaption>0.9: a/<wbr>b.jpg</figcaption>"), "{html}");
    }
}
