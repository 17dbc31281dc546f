# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Draws scale.svg from the data that scale.py has written to the current folder: instructions above,
# times below, and a column for each size that varies.
set terminal svg size 1200,720 font "sans-serif,12" background "white"
set output "scale.svg"
set multiplot layout 2,3 title "Cost of a chain"
set key top left
set grid
set logscale x 2
set xtics rotate by -45
set style data linespoints

set yrange [0:]
set xlabel "queue size"
set ylabel "instructions"
plot "queue.dat" using 1:2 title "W1", "" using 1:4 title "W2", "" using 1:6 title "B"
set xlabel "regions"
plot "regions.dat" using 1:2 title "W2", "" using 1:4 title "W3", "" using 1:6 title "B"
set xlabel "descriptors in a chain"
set yrange [*:*]
set logscale y
plot "length.dat" using 1:2 title "W1", "" using 1:4 title "R", "" using 1:6 title "B"

unset logscale y
set yrange [0:]
set xlabel "queue size"
set ylabel "ns"
plot "queue.dat" using 1:3 title "W1", "" using 1:5 title "W2", "" using 1:7 title "B"
set xlabel "regions"
plot "regions.dat" using 1:3 title "W2", "" using 1:5 title "W3", "" using 1:7 title "B"
set xlabel "descriptors in a chain"
set yrange [*:*]
set logscale y
plot "length.dat" using 1:3 title "W1", "" using 1:5 title "R", "" using 1:7 title "B"
unset multiplot
