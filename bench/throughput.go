package main

// contexts measures how fast build contexts go through each contender.
func (s *suite) contexts() error {
	size := func(short, long int64) int64 { return pick(s, short, long) * mib }
	all := []buildContext{
		{Shape: large, Size: size(128, 1024)},
		{Shape: small, Size: size(32, 256)},
		{Shape: large, Size: size(32, 256), Codec: "gzip"},
		{Shape: large, Size: size(32, 256), Codec: "zstd"},
	}
	if !s.short {
		for _, n := range nameStyles()[1:] {
			all = append(all, buildContext{Shape: small, Size: 128 * mib, Names: n.style})
		}
	}
	for _, c := range all {
		source := c.source()
		lines, err := s.compare(pick(s, 3, 5), line{What: c.String(), Context: &c, Unit: "MiB"}, func(r runner) (sample, error) {
			took, err := c.build(r.socket, source, r.labels)
			return sample{units: float64(c.Size) / mib, seconds: took.Seconds()}, err
		})
		if err != nil {
			return err
		}
		s.report.Contexts = append(s.report.Contexts, lines...)
	}
	return nil
}
