//! A plot, drawn: its picture, which can be saved, the same as a table, and as CSV.
//!
//! Drawn here, because a plot is a few paths, which take the page's colours and are saved as they stand.
//! Everything in the picture stands at percents of its width, so it needs no other for a telephone.

use std::rc::Rc;

use web_sys::Element;
use yew::prelude::*;

use super::plot::{Axes, Outline, PARTS, Plot, Shape};
use crate::browser::download;
use crate::i18n::figures::count;
use crate::i18n::language::{Language, use_language};
use crate::ui::use_details::use_details;

/// Rows of the table, the newest; the CSV has all.
const SHOWN_ROWS: usize = 50;
/// The picture's size where it is saved.
const SIZE: (u64, u64) = (720, 240);
/// Where the drawing stands: percents of the width, pixels of the height.
const ACROSS: (u64, u64) = (12, 82);
const DOWN: (u64, u64) = (30, 170);

#[derive(Properties, PartialEq)]
pub(crate) struct PlotFigureProps {
    pub(crate) plot: Rc<Plot>,
    /// What is saved as CSV, unless it is the plot's own rows.
    #[prop_or_default]
    pub(crate) csv: Option<AttrValue>,
}

/// A plot.
#[component]
pub(crate) fn PlotFigure(PlotFigureProps { plot, csv }: &PlotFigureProps) -> Html {
    let language = use_language();
    let picture = use_node_ref();
    let (open, ontoggle) = use_details();
    let both = plot.axes();
    let save_picture = {
        let (picture, name) = (picture.clone(), plot.name);
        move |_| {
            if let Some(picture) = picture.cast::<Element>() {
                download::save_picture(name, &picture, SIZE);
            }
        }
    };
    let save_csv = {
        let (plot, csv) = (Rc::clone(plot), csv.clone());
        move |_| {
            let csv = csv.as_ref().map_or_else(|| plot.csv(), ToString::to_string);
            download::save(&format!("streamgram-{}.csv", plot.name), "text/csv", csv.as_bytes());
        }
    };
    html! {
        <figure class="plot">
            <figcaption>{ plot.title }</figcaption>
            <svg ref={picture} class="plot-picture" translate="no" role="img" aria-label={plot.title}>
                <title>{ plot.title }</title>
                <rect class="plot-ground" width="100%" height="100%" />
                { axes(plot, &both) }
                for (at, series) in plot.series.iter().enumerate() {
                    <svg x={percent(at as u64 * PARTS / 4)} y="4" class="plot-series" data-style={series.style}>
                        { paths(sample(plot.shape), plot) }
                        <text x="28" y="12">{ series.name }</text>
                    </svg>
                    <svg class="plot-series" data-style={series.style} x={percent(0)} y={DOWN.0.to_string()}
                        width={format!("{}%", ACROSS.1)} height={DOWN.1.to_string()}
                        viewBox={format!("0 0 {PARTS} {PARTS}")} preserveAspectRatio="none">
                        { paths(plot.outline(at, &both), plot) }
                    </svg>
                }
            </svg>
            <div class="plot-tools">
                <button type="button" onclick={save_picture}>{ "SVG" }</button>
                <button type="button" onclick={save_csv}>{ "CSV" }</button>
                <details {ontoggle}>
                    <summary>{ language.plot_table() }</summary>
                    if open { { table(language, plot) } }
                </details>
            </div>
        </figure>
    }
}

/// Parts of the drawing's width as percents of the picture's.
fn percent(part: u64) -> String {
    let thousandths = ACROSS.0 * PARTS + part * ACROSS.1;
    format!("{}.{:03}%", thousandths / PARTS, thousandths % PARTS)
}

fn axes(plot: &Plot, Axes { across, up }: &Axes) -> Html {
    let y = |at: u64| DOWN.0 + (PARTS - up.place(at)) * DOWN.1 / PARTS;
    let below = DOWN.0 + DOWN.1;
    html! {
        <>
            for at in up.at.iter() {
                <line x2="100%" y1={y(*at).to_string()} y2={y(*at).to_string()} />
                <text y={(y(*at) - 3).to_string()}>{ plot.y.unit.text(*at) }</text>
            }
            for (part, label) in plot.labels(across) {
                <text x={percent(part)} y={(below + 15).to_string()} text-anchor="middle">{ label }</text>
            }
            <text x="99%" y={(below + 33).to_string()} text-anchor="end">{ plot.x.label }</text>
            <text y={(below + 33).to_string()}>{ plot.y.label }</text>
        </>
    }
}

/// What the legend shows of a series.
fn sample(shape: Shape) -> Outline {
    let (line, marks) = match shape {
        Shape::Dots => ("", "M10 8h0"),
        Shape::Lines => ("M0 8h20", "M10 8h0"),
        Shape::Bars => ("", "M4 3h12v10h-12z"),
    };
    Outline { line: line.into(), marks: marks.into() }
}

fn paths(Outline { line, marks }: Outline, plot: &Plot) -> Html {
    html! {
        <>
            <path class="plot-line" d={line} />
            <path class="plot-marks" data-shape={plot.shape.word()} d={marks} />
        </>
    }
}

fn table(language: Language, plot: &Plot) -> Html {
    let hidden = plot.rows.len().saturating_sub(SHOWN_ROWS);
    let cell = |cell: Option<u64>| cell.map_or_else(|| "–".into(), |cell| plot.y.unit.text(cell));
    html! {
        <div class="plot-table" tabindex="0" role="group" aria-label={plot.title}>
            if hidden > 0 {
                <p class="hint">{ language.plot_rows_hidden(&count(hidden as u64)) }</p>
            }
            <table>
                <caption>{ plot.y.label }</caption>
                <thead><tr>
                    <th scope="col">{ plot.x.label }</th>
                    for series in plot.series.iter() { <th scope="col">{ series.name }</th> }
                </tr></thead>
                <tbody translate="no">
                    for (at, row) in plot.rows.iter().enumerate().skip(hidden) {
                        <tr key={at}>
                            <th scope="row">{ plot.x.unit.text(row.x) }</th>
                            for of in row.cells[..plot.series.len()].iter() { <td>{ cell(*of) }</td> }
                        </tr>
                    }
                </tbody>
            </table>
        </div>
    }
}
